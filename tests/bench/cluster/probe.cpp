#include "http/client.hpp"
#include "subjects.hpp"

#include <chrono>
#include <iostream>
#include <stdexcept>
#include <vector>

#include <nlohmann/json.hpp>
#include <poll.h>
#include <unistd.h>

namespace taskd::bench {
namespace {

constexpr int pause_ms = 10;

class Probe {
  public:
    explicit Probe(http::Endpoint endpoint) : client_(std::move(endpoint)) {}

    void ask() {
        const auto began = std::chrono::steady_clock::now();
        const auto answer = client_.request("GET", "/api/summary", {}, "", std::chrono::minutes(1));
        took_ms_.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began).count());
        if (answer.status != 200) throw std::runtime_error("/api/summary: " + std::to_string(answer.status));
    }
    const std::vector<double>& took_ms() const { return took_ms_; }

  private:
    http::Client client_;
    std::vector<double> took_ms_;
};

}  // namespace

void probe_summary(const std::string& socket, const std::string& beside) {
    Probe daemon(http::Endpoint::unix_socket(socket));
    Probe fixed(http::Endpoint::parse(beside));
    pollfd end{STDIN_FILENO, POLLIN, 0};
    do {
        daemon.ask();
        fixed.ask();
    } while (::poll(&end, 1, pause_ms) == 0);
    std::cout << nlohmann::json{{"ours", daemon.took_ms()}, {"beside", fixed.took_ms()}} << std::endl;
}

}  // namespace taskd::bench
