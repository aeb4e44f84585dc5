#include "api/task_view.hpp"

#include <nlohmann/json.hpp>

namespace taskd::api {
namespace {

nlohmann::json time_or_null(const std::optional<WallTime>& time) {
    return time ? nlohmann::json(format_utc(*time)) : nlohmann::json();
}

}  // namespace

nlohmann::json task_detail(const Task& task) {
    const TaskStatus status = task.status();
    nlohmann::json view = status.phase == TaskPhase::finished ? task.finished_json() : task.executing_json();
    view["id"] = task.id();
    view["state"] = to_string(status.phase);
    view["started_at"] = time_or_null(status.started_at);
    view["duration"] = status.duration_s;
    view["attempts"] = status.attempts;
    view["stalled_since"] = time_or_null(status.stalled_since);
    view["waiting_for"] = status.waiting_for.empty() ? nlohmann::json() : nlohmann::json(status.waiting_for);
    if (!view.contains("end_time")) view["end_time"] = nullptr;
    return view;
}

nlohmann::json detailed_list(const TaskList& list) {
    auto executing = nlohmann::json::array();
    for (const auto& task : list.executing) executing.push_back(task_detail(*task));
    auto finished = nlohmann::json::array();
    for (const auto& task : list.finished) finished.push_back(task_detail(*task));
    return {{"executing_tasks", std::move(executing)}, {"finished_tasks", std::move(finished)}};
}

}  // namespace taskd::api
