#pragma once

#include "ceph/journal.hpp"
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
    /// Where its tasks are kept; without a journal they live in memory only.
    struct Durability {
        std::shared_ptr<ceph::Cluster> cluster;
        std::shared_ptr<ceph::Journal> journal;
    };

    /// @param exception_handler  Of every task it makes. All references must outlive it.
    OperationService(TaskManager& tasks, const rbd::OperationRegistry& registry, Dispatcher& dispatcher,
                     rbd::Limits limits, Task::ExceptionHandler exception_handler, Durability durability = {});

    /// @throws std::out_of_range when there is no such operation: names come from the program, not from clients.
    const rbd::Operation& operation(std::string_view name) const;

    /// Checks the arguments and runs the operation as a task, or returns the unfinished task that does just the same.
    /// With a journal the task is accepted only when its record is durable, see `Task::is_accepted`.
    /// @throws BadRequest  naming the argument
    ///         Error       (conflict) the same name and metadata are under way with other arguments: joining would lose
    ///                     this request's; `extra` names the task
    ///         QueueFull
    std::shared_ptr<Task> submit(std::string_view name, const nlohmann::json& given, const WorkOptions& options = {});

    /// How the work goes on.
    DispatcherStatus dispatcher_status() const { return dispatcher_.status(); }

    /// Goes on with a task of an earlier life of the daemon, with its id and begin time.
    /// @throws Error  The record asks for an operation that there is not, or with arguments that do not fit.
    std::shared_ptr<Task> resume(const ceph::TaskRecord& record);

  private:
    RunOptions run_options(const rbd::Operation& wanted, const nlohmann::json& arguments, const WorkOptions& options,
                           QueueRoom room);

    TaskManager& tasks_;
    const rbd::OperationRegistry& registry_;
    Dispatcher& dispatcher_;
    const rbd::Limits limits_;
    const Task::ExceptionHandler exception_handler_;
    const Durability durability_;
};

}  // namespace taskd::worker
