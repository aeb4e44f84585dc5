#pragma once

#include "auth/access_database.hpp"

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

/// `text`, an object that is not empty, with the members of `more` as well.
std::string with_members(std::string text, const nlohmann::json& more);

}  // namespace taskd::api
