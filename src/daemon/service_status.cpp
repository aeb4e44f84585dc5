#include "daemon/service_status.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace taskd::daemon {
namespace {

constexpr std::size_t most_failure_bytes = 512;
constexpr std::chrono::minutes long_wait{30};

std::string condition_of(const worker::DispatcherStatus& dispatcher) {
    std::string condition;
    const auto add = [&](const std::string& what) { condition.append(condition.empty() ? "" : "; ").append(what); };
    if (dispatcher.workers_ready == 0) add("no worker is ready");
    if (dispatcher.stalled > 0) add(std::to_string(dispatcher.stalled) + " tasks make no progress");
    if (dispatcher.waiting * 5 > dispatcher.capacity * 4)
        add("the queue is " + std::to_string(dispatcher.waiting * 100 / dispatcher.capacity) + "% full");
    if (dispatcher.oldest_wait >= long_wait)
        add("a task waits for " +
            std::to_string(std::chrono::duration_cast<std::chrono::minutes>(dispatcher.oldest_wait).count()) + " min");
    return condition.empty() ? "ok" : condition;
}

/// One line for a terminal, cut where a character begins.
std::string one_line(std::string text) {
    if (text.size() > most_failure_bytes) {
        auto size = most_failure_bytes;
        while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80U) --size;
        text.resize(size);
        text += "…";
    }
    std::replace_if(
        text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
    return text;
}

}  // namespace

void ServiceStatus::note_failure(std::string what) {
    auto told = format_utc(clock_.wall()) + " " + one_line(std::move(what));
    const MutexLock lock(mutex_);
    ++failures_;
    last_failure_ = std::move(told);
}

std::map<std::string, std::string> ServiceStatus::of(const worker::DispatcherStatus& dispatcher) const {
    const MutexLock lock(mutex_);
    return {{"condition", condition_of(dispatcher)},
            {"last_failure", last_failure_},
            {"oldest_wait_seconds",
             std::to_string(std::chrono::duration_cast<std::chrono::seconds>(dispatcher.oldest_wait).count())},
            {"tasks_failed", std::to_string(failures_)},
            {"tasks_running", std::to_string(dispatcher.running)},
            {"tasks_stalled", std::to_string(dispatcher.stalled)},
            {"tasks_waiting", std::to_string(dispatcher.waiting)},
            {"worker_deaths", std::to_string(dispatcher.worker_deaths)},
            {"workers_ready", std::to_string(dispatcher.workers_ready)}};
}

}  // namespace taskd::daemon
