#pragma once

#include "rbd/operation.hpp"
#include "worker/worker_executor.hpp"

#include <memory>
#include <string_view>

#include <nlohmann/json.hpp>
#include <taskd/task_manager.hpp>

namespace taskd::worker {

/// Takes requests for registered operations and makes them tasks.
/// @thread  Any. Never blocks.
class OperationService {
  public:
    /// @param exception_handler  Of every task it makes. All references must outlive it.
    OperationService(TaskManager& tasks, const rbd::OperationRegistry& registry, Dispatcher& dispatcher,
                     rbd::Limits limits, Task::ExceptionHandler exception_handler);

    /// @throws std::out_of_range when there is no such operation: names come from the program, not from clients.
    const rbd::Operation& operation(std::string_view name) const;

    /// Checks the arguments and runs the operation as a task, or returns the unfinished task that does just the same.
    /// @throws BadRequest  naming the argument
    ///         Error       (conflict) the same name and metadata are under way with other arguments: joining would lose
    ///                     this request's; `extra` names the task
    ///         QueueFull
    std::shared_ptr<Task> submit(std::string_view name, const nlohmann::json& given, WorkOptions options = {});

  private:
    TaskManager& tasks_;
    const rbd::OperationRegistry& registry_;
    Dispatcher& dispatcher_;
    const rbd::Limits limits_;
    const Task::ExceptionHandler exception_handler_;
};

}  // namespace taskd::worker
