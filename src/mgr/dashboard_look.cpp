#include "mgr/dashboard_look.hpp"

#include "mgr/dashboard_list.hpp"

#include <algorithm>
#include <chrono>

namespace taskd::mgr {
namespace {

/// Two looks that are further apart tell nothing of when a new task began.
constexpr std::chrono::minutes most_between_looks{1};
/// A time that is later than now by more than this is not of the time zone that was found out.
constexpr std::chrono::minutes most_ahead_of_now{1};

/// The event that `task`, in local time, is too, whatever the time zone: then both begins tell that.
const MgrTask* event_of(const MgrTask& task, const MgrTaskList& events) {
    return find_task(events, [&](const MgrTask& event) {
        return is_same_task(task, event, std::chrono::round<std::chrono::minutes>(task.begin_time - event.begin_time));
    });
}

bool has(const std::vector<MgrTask>& tasks, const MgrTask& wanted, bool with_end) {
    return std::any_of(tasks.begin(), tasks.end(), [&](const MgrTask& task) {
        return task.begin_time == wanted.begin_time && task.name == wanted.name && task.metadata == wanted.metadata &&
               (!with_end || task.end);
    });
}

}  // namespace

void DashboardLook::learn_zone(const std::vector<MgrTask>& tasks, const MgrTaskList& events, WallTime now) {
    const bool saw_before = looked_at_ && now - *looked_at_ < most_between_looks;
    for (const auto& task : tasks) {
        if (const auto* event = event_of(task, events)) {
            clock_.learn(task.begin_time, event->begin_time, event->begin_time);
        } else if (saw_before) {
            if (!has(before_, task, false)) clock_.learn(task.begin_time, *looked_at_, now);
            if (task.end && !has(before_, task, true)) clock_.learn(task.end->time, *looked_at_, now);
        }
    }
}

std::vector<MgrTask> DashboardLook::learn(std::vector<MgrTask> tasks, const MgrTaskList& events, WallTime from,
                                          WallTime now) {
    learn_zone(tasks, events, now);
    looked_at_ = from;
    before_ = tasks;
    const auto ahead = clock_.ahead();
    if (!ahead) return {};
    for (auto& task : tasks) {
        task.begin_time -= *ahead;
        if (task.end) task.end->time -= *ahead;
    }
    std::erase_if(tasks, [&](const MgrTask& task) {
        return (task.end ? task.end->time : task.begin_time) > now + most_ahead_of_now;
    });
    return tasks;
}

}  // namespace taskd::mgr
