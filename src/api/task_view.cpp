#include "api/task_view.hpp"

#include "api/rights.hpp"
#include "api/task_response.hpp"
#include "core/name_glob.hpp"

#include <algorithm>
#include <vector>

#include <nlohmann/json.hpp>

namespace taskd::api {
namespace {

nlohmann::json time_or_null(const std::optional<WallTime>& time) {
    return time ? nlohmann::json(format_utc(*time)) : nlohmann::json();
}

/// An element of an array whose bracket, or last element, is the end of `text`.
void append(std::string& text, const std::string& element) {
    if (text.back() != '[') text += ',';
    text += element;
}

WallTime begin_of(const Task& task) {
    return task.status().begin_time;
}

WallTime end_of(const Task& task) {
    return task.status().end_time.value_or(WallTime());
}

/// Ours and the mgr's, both newest first, as one array's elements. The few of the mgr's are looked up among ours, so
/// that a long list of ours costs what it costs without them.
template <class TimeOf, class TextOf, class OtherTimeOf>
void append_merged(std::string& text, const std::vector<std::shared_ptr<Task>>& own,
                   const std::vector<std::shared_ptr<const mgr::ListedMgrTask>>& others, TimeOf time_of, TextOf text_of,
                   OtherTimeOf other_time_of) {
    auto next = own.begin();
    const auto append_own_until = [&](auto end) {
        for (; next != end; ++next) append(text, text_of(**next));
    };
    for (const auto& other : others) {
        append_own_until(std::partition_point(next, own.end(), [&](const std::shared_ptr<Task>& task) {
            return time_of(*task) >= other_time_of(other->task);
        }));
        append(text, other->text);
    }
    append_own_until(own.end());
}

/// Whether one of them has the event's name and metadata and was under way at the same time.
bool is_shown(const mgr::MgrTask& event, const std::vector<std::shared_ptr<Task>>& finished) {
    return std::any_of(finished.begin(), finished.end(), [&](const std::shared_ptr<Task>& task) {
        return task->name() == event.name && task->metadata() == event.metadata && begin_of(*task) <= event.end->time &&
               event.begin_time <= end_of(*task);
    });
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

void keep_wanted(mgr::MgrTaskList& list, const std::string& name_glob, const auth::User& caller) {
    for (auto* tasks : {&list.executing, &list.finished})
        std::erase_if(*tasks, [&](const auto& entry) {
            const auto& name = entry->task.name;
            return !matches_glob(name_glob, name) || !(caller.is_administrator() || may_see(caller, name));
        });
}

void leave_out_shown(mgr::MgrTaskList& list, const TaskList& own, const TaskManager& tasks) {
    std::erase_if(list.executing, [&](const auto& entry) {
        const auto ours = tasks.find(entry->task.name, entry->task.metadata);
        return ours && ours->is_accepted();
    });
    std::erase_if(list.finished,
                  [&](const auto& entry) { return entry->task.is_event && is_shown(entry->task, own.finished); });
}

std::string list_text(const TaskList& list, const mgr::MgrTaskList& others, const nlohmann::json& more) {
    std::string text = R"({"executing_tasks":[)";
    append_merged(
        text, list.executing, others.executing, begin_of, [](const Task& task) { return task.executing_text(); },
        [](const mgr::MgrTask& task) { return task.begin_time; });
    text += R"(],"finished_tasks":[)";
    append_merged(
        text, list.finished, others.finished, end_of, [](const Task& task) { return *task.finished_text(); },
        [](const mgr::MgrTask& task) { return task.end->time; });
    text += "]}";
    return with_members(std::move(text), more);
}

std::string with_members(std::string text, const nlohmann::json& more) {
    if (more.empty()) return text;
    text.back() = ',';
    text.append(to_text(more), 1);
    return text;
}

}  // namespace taskd::api
