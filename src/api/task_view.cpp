#include "api/task_view.hpp"

#include "api/rights.hpp"

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

void keep_visible(nlohmann::json& list, const auth::User& caller) {
    if (caller.is_administrator()) return;
    for (const auto* name : {"executing_tasks", "finished_tasks"}) {
        nlohmann::json seen = nlohmann::json::array();
        for (auto& task : list.at(name))
            if (may_see(caller, task.at("name").get_ref<const std::string&>())) seen.push_back(std::move(task));
        list[name] = std::move(seen);
    }
}

}  // namespace taskd::api
