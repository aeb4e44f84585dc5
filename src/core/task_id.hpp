#pragma once

#include <string>

#include <taskd/clock.hpp>

namespace taskd {

/// A new ULID: 48 bits of milliseconds, then 80 random bits, in Crockford's base 32. Sorts by time; those of one thread
/// also within a millisecond.
/// @thread  Any.
/// @source  github.com/ulid/spec
std::string make_task_id(WallTime now);

}  // namespace taskd
