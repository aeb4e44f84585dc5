#include "daemon/daemon_main.hpp"

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <string>

#include <nlohmann/json.hpp>
#include <taskd/error.hpp>
#include <unistd.h>

/// ceph-taskd with a handle for tests: its worker processes read the file that TASKD_TEST_STEPS names before each step
/// of an operation, and do what it says to do there. The file is replaced while the daemon runs:
///
///     [{"operation": "rbd/delete", "step": "remove image", "attempt": 1, "action": "abort"}]
///
/// What is left out matches everything. Actions: `abort` (as a failed assert of librbd's does), `exit`, `fail`
/// (throws), `hold` (stays there for as long as the file says so).
namespace {

using nlohmann::json;

/// What is to be done at this step; empty for nothing.
std::string action_at(const taskd::worker::WorkOrder& order, std::string_view step) {
    const char* const path = std::getenv("TASKD_TEST_STEPS");
    if (path == nullptr) return {};
    std::ifstream file(path);
    const auto rules = json::parse(file, nullptr, false);
    if (!rules.is_array()) return {};
    for (const auto& rule : rules)
        if (rule.value("operation", order.operation) == order.operation && rule.value("step", step) == step &&
            rule.value("attempt", order.attempt) == order.attempt)
            return rule.at("action").get<std::string>();
    return {};
}

void obey_test(const taskd::worker::WorkOrder& order, std::string_view step) {
    std::string action = action_at(order, step);
    for (; action == "hold"; action = action_at(order, step)) ::usleep(10'000);
    if (action == "abort") {
        std::fprintf(stderr, "test.cc: 1: FAILED ceph_assert(step != \"%s\")\n", std::string(step).c_str());
        std::abort();
    }
    if (action == "exit") ::_exit(EXIT_FAILURE);
    if (action == "fail")
        throw taskd::Error(taskd::ErrorKind::internal, EIO, "test", "failed at " + std::string(step) + " by a test");
}

}  // namespace

int main(int argc, char** argv) {
    return taskd::daemon::daemon_main(argc, argv, taskd::rbd::OperationRegistry::builtin(), obey_test);
}
