#pragma once

#include <chrono>

namespace taskd {

/// A thread that people wait for, and that takes little: it runs before all of the machine's that are no real-time
/// threads, at the lowest priority of those. While it takes more than its part of half a core, as a flood of requests
/// makes it, it is served like any other. It looks at that itself: what never comes back to look is held by the system
/// to 95 % of a core (sched_rt_runtime_us).
/// @thread  The thread itself.
class PromptThread {
  public:
    /// @param threads  That share the half of a core.
    /// @returns  Whether the system allows it, by CAP_SYS_NICE or a limit (RLIMIT_RTPRIO) of 1; otherwise all else does
    ///           nothing.
    bool begin(unsigned threads) noexcept;

    /// To be called now and then while it works.
    void look() noexcept;

  private:
    friend struct PromptThreadTest;
    using Clock = std::chrono::steady_clock;

    void look_at(Clock::time_point now, std::chrono::nanoseconds processor_time) noexcept;

    unsigned threads_ = 1;
    bool is_allowed_ = false;
    bool is_before_others_ = false;
    Clock::time_point looked_at_;
    std::chrono::nanoseconds had_{0};  ///< Of a processor's time, then.
};

}  // namespace taskd
