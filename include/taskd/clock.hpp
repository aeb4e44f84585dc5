#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace taskd {

using WallTime = std::chrono::system_clock::time_point;
using SteadyTime = std::chrono::steady_clock::time_point;

/// The two clocks a task needs: the wall for what people read, the steady one for durations and retention, so that a
/// step of the wall clock neither ends nor prolongs anything. Tests use a manual one.
/// @thread  Any.
class Clock {
  public:
    virtual ~Clock() = default;
    virtual WallTime wall() const = 0;
    virtual SteadyTime steady() const = 0;

    /// The machine's clocks; lives as long as the program.
    static const Clock& system() noexcept;
};

/// ISO 8601 in UTC with six digits and `Z`, whatever TZ says: "2026-11-25T01:31:34.380289Z".
std::string format_utc(WallTime time);

/// The inverse of `format_utc`; also takes times without a fraction. Of the years 1678 to 2261, which `WallTime` can
/// tell.
/// @throws BadRequest on anything else.
WallTime parse_utc(std::string_view text);

}  // namespace taskd
