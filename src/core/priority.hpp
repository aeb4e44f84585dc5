#pragma once

namespace taskd {

/// The nice value of the calling thread: -20, served first, to 19. Threads and processes that it makes begin with it.
int nice_value() noexcept;

/// @returns  Whether the system allowed it. Less than now takes CAP_SYS_NICE or a limit (RLIMIT_NICE) that is that low.
/// @source   setpriority(2), which on Linux is about a thread
bool set_nice_value(int nice) noexcept;

}  // namespace taskd
