#pragma once

#include <chrono>
#include <optional>

#include <taskd/clock.hpp>

namespace taskd::mgr {

/// How far the local time of one mgr is ahead of UTC, found out from times that are known in both: nothing in Ceph
/// tells a mgr's time zone, and the dashboard's tasks have their times in it.
///
/// Time zones differ from UTC by quarters of an hour, so it is enough to know when something was to within minutes.
/// @thread  One.
class MgrClock {
  public:
    /// The local time `local` was at some moment from `from` to `until`. What is seen last counts, as clocks are put
    /// back and forth in spring and autumn; what fits no time zone is ignored.
    void learn(WallTime local, WallTime from, WallTime until);

    /// None until something was learned.
    std::optional<std::chrono::minutes> ahead() const noexcept { return ahead_; }

    void forget() noexcept { ahead_.reset(); }

  private:
    std::optional<std::chrono::minutes> ahead_;
};

}  // namespace taskd::mgr
