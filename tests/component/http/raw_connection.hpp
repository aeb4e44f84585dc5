#pragma once

#include "http/endpoint.hpp"
#include "http/file_descriptor.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace taskd::http::test {

/// The longest that a test waits for what has to happen.
constexpr int patience_ms = 10'000;

/// A connection whose bytes the test chooses. Throws std::runtime_error when the server is silent for too long.
class RawConnection {
  public:
    /// Only makes the socket: a test that uses up the descriptors connects afterwards.
    explicit RawConnection(Endpoint::Kind kind);
    explicit RawConnection(const Endpoint& endpoint);

    void connect(const Endpoint& endpoint);
    void send(std::string_view bytes);
    /// As much as the server takes without reading on; returns the number of bytes.
    std::size_t send_what_fits(std::string_view bytes);
    void end_of_requests();  ///< Half-closes.
    void keep_small_receive_buffer(int bytes = 4096);

    /// Head and body of the next response.
    std::string response(bool without_body = false);
    /// What comes next: up to and with `end`, or so many bytes.
    std::string until(std::string_view end);
    std::string take(std::size_t bytes);
    /// Everything up to the end; a reset counts as one.
    std::string rest();
    void close() { socket_.reset(); }
    int descriptor() const { return socket_.get(); }

  private:
    bool receive();

    FileDescriptor socket_;
    std::string received_;
};

std::string get(std::string_view target, std::string_view more_headers = {});

int status_of(std::string_view response);
std::string_view body_of(std::string_view response);

/// Whether `condition` comes true in time.
bool eventually(const std::function<bool()>& condition);

}  // namespace taskd::http::test
