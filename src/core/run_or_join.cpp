#include "core/run_or_join.hpp"

#include <cerrno>
#include <utility>

#include <taskd/error.hpp>

namespace taskd {

std::shared_ptr<Task> run_or_join(TaskManager& tasks, std::string name, nlohmann::json metadata, TaskFunction function,
                                  RunOptions options) {
    const nlohmann::json arguments = options.arguments;
    bool created = false;
    auto task =
        tasks.run_function(std::move(name), std::move(metadata), std::move(function), std::move(options), &created);
    if (!created && task->arguments() != arguments)
        throw Error(ErrorKind::conflict, EALREADY, "taskd",
                    "[errno 114] task " + task->id() + " (" + task->name() +
                        ") is doing this with other arguments; wait for its end or cancel it",
                    {{"task_id", task->id()}, {"task", {{"name", task->name()}, {"metadata", task->metadata()}}}});
    return task;
}

}  // namespace taskd
