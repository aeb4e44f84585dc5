#pragma once

#include <memory>
#include <string>

#include <nlohmann/json_fwd.hpp>
#include <taskd/task_manager.hpp>

namespace taskd {

/// As `TaskManager::run_function`, but only a caller with the same arguments gets the unfinished task of that name and
/// metadata.
/// @throws Error (conflict) naming the task that executes with other arguments, its id and `task` in `extra`
std::shared_ptr<Task> run_or_join(TaskManager& tasks, std::string name, nlohmann::json metadata, TaskFunction function,
                                  RunOptions options);

}  // namespace taskd
