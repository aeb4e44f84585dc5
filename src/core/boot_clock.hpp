#pragma once

#include <chrono>

namespace taskd {

/// A clock of std::chrono that no step of the wall clock moves and that counts while the machine is suspended too,
/// which steady_clock does not: for what others do by their own clocks meanwhile, as the end of a lock.
/// @thread  Any.
/// @source  clock_gettime(2), CLOCK_BOOTTIME
struct BootClock {
    // NOLINTBEGIN(readability-identifier-naming): what std::chrono asks of a clock
    using duration = std::chrono::nanoseconds;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<BootClock>;
    static constexpr bool is_steady = true;
    // NOLINTEND(readability-identifier-naming)

    static time_point now() noexcept;
};

}  // namespace taskd
