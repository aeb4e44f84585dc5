#pragma once

#include "core/boot_clock.hpp"

#include <atomic>
#include <chrono>
#include <stop_token>
#include <thread>

namespace taskd::daemon {

/// Notices that this process was not run for a while: it was stopped, its control group frozen, its machine suspended.
/// Nothing tells a process of that but the clock, so a thread looks at it often.
/// @thread  Any.
class Pulse {
  public:
    /// What an overloaded machine may keep us from running without harm.
    static constexpr std::chrono::milliseconds longest_pause{1'000};

    Pulse();

    /// Since when it has run without a break; the present when it comes out of one just now.
    BootClock::time_point unbroken_since() const noexcept { return since_at(BootClock::now()); }

  private:
    friend struct PulseTest;
    explicit Pulse(BootClock::time_point start) : last_beat_(start), unbroken_since_(start) {}

    void beat(BootClock::time_point now) noexcept;
    BootClock::time_point since_at(BootClock::time_point now) const noexcept;
    void run(const std::stop_token& stop);

    std::atomic<BootClock::time_point> last_beat_;
    std::atomic<BootClock::time_point> unbroken_since_;
    std::jthread thread_;  // last: it uses the above
};

}  // namespace taskd::daemon
