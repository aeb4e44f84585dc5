#include "worker/operation_service.hpp"

#include <stdexcept>

#include <taskd/error.hpp>

namespace taskd::worker {

OperationService::OperationService(TaskManager& tasks, const rbd::OperationRegistry& registry, Dispatcher& dispatcher,
                                   rbd::Limits limits, Task::ExceptionHandler exception_handler)
    : tasks_(tasks),
      registry_(registry),
      dispatcher_(dispatcher),
      limits_(limits),
      exception_handler_(std::move(exception_handler)) {}

const rbd::Operation& OperationService::operation(std::string_view name) const {
    const rbd::Operation* operation = registry_.find(name);
    if (operation == nullptr) throw std::out_of_range("no operation '" + std::string(name) + "'");
    return *operation;
}

std::shared_ptr<Task> OperationService::submit(std::string_view name, const nlohmann::json& given,
                                               WorkOptions options) {
    const rbd::Operation& wanted = operation(name);
    nlohmann::json arguments = wanted.decode(given, limits_);
    nlohmann::json metadata = wanted.metadata(arguments);
    // Refused before it is a task: a flood of refusals must not push real tasks off the list.
    dispatcher_.require_room();

    RunOptions run;
    run.executor = std::make_unique<WorkerExecutor>(dispatcher_, wanted, options);
    run.exception_handler = exception_handler_;
    run.arguments = arguments;
    bool created = false;
    auto task = tasks_.run_function(std::string(name), std::move(metadata), {}, std::move(run), &created);
    if (!created && task->arguments() != arguments)
        throw Error(ErrorKind::conflict, EALREADY, "taskd",
                    "[errno 114] task " + task->id() + " (" + task->name() +
                        ") is doing this with other arguments; wait for its end or cancel it",
                    {{"task_id", task->id()}, {"task", {{"name", task->name()}, {"metadata", task->metadata()}}}});
    return task;
}

}  // namespace taskd::worker
