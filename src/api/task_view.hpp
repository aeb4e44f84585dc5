#pragma once

#include "auth/access_database.hpp"
#include "mgr/mgr_task.hpp"

#include <string>

#include <nlohmann/json_fwd.hpp>
#include <taskd/task_manager.hpp>

namespace taskd::api {

/// All that is known of a task: the dashboard's keys, and `id, state, started_at, attempts, stalled_since,
/// waiting_for`. What does not apply is null.
nlohmann::json task_detail(const Task& task);
/// The same for one caller: who asked for the task is told its value as it is.
nlohmann::json task_detail(const Task& task, const auth::User& caller);

/// The same of a task that only the history knows, from what was kept of it.
nlohmann::json kept_task_detail(nlohmann::json view);

/// The list with `task_detail` for each entry, in place of the dashboard's closed set of keys.
nlohmann::json detailed_list(const TaskList& list);

/// Leaves only the tasks that the caller may see.
void keep_visible(TaskList& list, const auth::User& caller);

/// Leaves of the mgr's tasks only those of that name (a glob, empty: all) that the caller may see.
void keep_wanted(mgr::MgrTaskList& list, const std::string& name_glob, const auth::User& caller);

/// Leaves out of the mgr's tasks what `own` shows too: what executes here under the same name and metadata, and an
/// event of the progress module that was under way at the same time as a finished task of ours with both.
void leave_out_shown(mgr::MgrTaskList& list, const TaskList& own, const TaskManager& tasks);

/// `{"executing_tasks", "finished_tasks"}` as the dashboard has them, ours and the mgr's in one order, and the members
/// of `more`, an object, as text.
std::string list_text(const TaskList& list, const mgr::MgrTaskList& others, const nlohmann::json& more);

/// `text`, an object that is not empty, with the members of `more` as well.
std::string with_members(std::string text, const nlohmann::json& more);

}  // namespace taskd::api
