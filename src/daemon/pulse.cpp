#include "daemon/pulse.hpp"

#include "core/mutex.hpp"
#include "core/thread_name.hpp"

#include <condition_variable>

namespace taskd::daemon {
namespace {

constexpr std::chrono::milliseconds beat_interval{250};

}  // namespace

Pulse::Pulse() : Pulse(BootClock::now()) {
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void Pulse::run(const std::stop_token& stop) {
    name_this_thread("taskd-pulse");
    Mutex mutex;
    std::condition_variable_any wake;
    const MutexLock lock(mutex);
    while (!stop.stop_requested()) {
        beat(BootClock::now());
        wake.wait_for(mutex, stop, beat_interval, [] { return false; });
    }
}

// The begin before the beat: who sees the new beat sees the break as well.
void Pulse::beat(BootClock::time_point now) noexcept {
    unbroken_since_ = since_at(now);
    last_beat_ = now;
}

BootClock::time_point Pulse::since_at(BootClock::time_point now) const noexcept {
    const auto last = last_beat_.load();
    return now - last > longest_pause ? now : unbroken_since_.load();
}

}  // namespace taskd::daemon
