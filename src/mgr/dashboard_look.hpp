#pragma once

#include "mgr/mgr_clock.hpp"
#include "mgr/mgr_task.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace taskd::mgr {

/// What is learned of one mgr's dashboard from look to look.
/// @thread  One.
class DashboardLook {
  public:
    explicit DashboardLook(std::string mgr_id) : mgr_id_(std::move(mgr_id)) {}

    const std::string& mgr_id() const noexcept { return mgr_id_; }

    /// The tasks in UTC, as far as that is known.
    /// @param from  When the look began.
    std::vector<MgrTask> learn(std::vector<MgrTask> tasks, const MgrTaskList& events, WallTime from, WallTime now);

  private:
    void learn_zone(const std::vector<MgrTask>& tasks, const MgrTaskList& events, WallTime now);

    std::string mgr_id_;
    MgrClock clock_;
    std::vector<MgrTask> before_;
    std::optional<WallTime> looked_at_;  ///< When the look before this began.
};

}  // namespace taskd::mgr
