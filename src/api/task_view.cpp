#include "api/task_view.hpp"

#include "api/rights.hpp"
#include "api/task_response.hpp"

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
    view["queue_position"] = status.queue_position == 0 ? nlohmann::json() : nlohmann::json(status.queue_position);
    if (!view.contains("end_time")) view["end_time"] = nullptr;
    return view;
}

nlohmann::json task_detail(const Task& task, const auth::User& caller) {
    nlohmann::json view = task_detail(task);
    // A task of an earlier life of the daemon has only what was kept of it.
    if (const auto value = task.ret_value(); !value.is_null() && task.owner() == caller.name) view["ret_value"] = value;
    return view;
}

nlohmann::json kept_task_detail(nlohmann::json view) {
    for (const char* key : {"started_at", "attempts", "stalled_since", "waiting_for", "queue_position"})
        view.emplace(key, nullptr);
    return view;
}

nlohmann::json detailed_list(const TaskList& list) {
    auto executing = nlohmann::json::array();
    for (const auto& task : list.executing) executing.push_back(task_detail(*task));
    auto finished = nlohmann::json::array();
    for (const auto& task : list.finished) finished.push_back(task_detail(*task));
    return {{"executing_tasks", std::move(executing)}, {"finished_tasks", std::move(finished)}};
}

void keep_visible(TaskList& list, const auth::User& caller) {
    if (caller.is_administrator()) return;
    for (auto* tasks : {&list.executing, &list.finished})
        std::erase_if(*tasks, [&](const auto& task) { return !may_see(caller, task->name()); });
}

std::string with_members(std::string text, const nlohmann::json& more) {
    if (more.empty()) return text;
    text.back() = ',';
    text.append(to_text(more), 1);
    return text;
}

}  // namespace taskd::api
