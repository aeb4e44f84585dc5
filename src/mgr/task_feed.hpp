#pragma once

#include "ceph/command_sender.hpp"
#include "mgr/mgr_task.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <taskd/clock.hpp>

namespace taskd::mgr {

/// The mgr that is active, as far as is known.
struct ActiveMgr {
    std::string id{};             ///< Empty: there is none.
    std::string dashboard_url{};  ///< Empty: it has none.
};

struct TaskFeedOptions {
    std::chrono::milliseconds period{1'000};          ///< Between two looks, while somebody asks.
    std::chrono::milliseconds idle_after{15'000};     ///< Without anybody who asks, the mgr is left alone.
    std::chrono::milliseconds stale_after{10'000};    ///< What was seen longer ago is not told any more.
    std::chrono::milliseconds answer_timeout{2'000};  ///< Of the dashboard.
    const Clock* clock = &Clock::system();
};

/// Knows what the mgr is at: the events of its progress module, by `ceph progress json`, and the tasks of its
/// dashboard, by its `GET /api/task`. Looks in the background, and only while somebody asks, so that nobody ever waits
/// for the mgr; who asks first after a while is told what comes of the next look.
///
/// A mgr that is dead, stopped, slow or about to be replaced costs its own tasks and nothing else. The progress events
/// are true UTC already. The dashboard's tasks are told only once it is known how far this mgr's local time is ahead of
/// UTC (MgrClock): since the first of them that began or ended while the feed looked, or a task that both tell of.
/// @thread  Any; readers never wait for anything but a short lock.
/// @source  dashboard-contract.md 2.2, 5.5
class TaskFeed {
  public:
    /// Both are asked again and again, from a thread of the feed's; neither may wait.
    using Mgr = std::function<ActiveMgr()>;
    using Token = std::function<std::optional<std::string>()>;

    /// @param sender  Must outlive this; its callbacks after this is gone do nothing.
    /// @param token   With which the dashboard is asked; none: it is not asked.
    TaskFeed(ceph::CommandSender& sender, Mgr active, Token token, TaskFeedOptions options = {});
    /// Waits for a question to the dashboard that is under way, at most `answer_timeout`.
    ~TaskFeed();
    TaskFeed(const TaskFeed&) = delete;
    TaskFeed& operator=(const TaskFeed&) = delete;

    /// What is known, and the wish to know more.
    MgrTaskList current();

  private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace taskd::mgr
