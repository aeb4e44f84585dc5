#include "worker/operation_service.hpp"

#include "ceph/journalled_executor.hpp"
#include "core/run_or_join.hpp"
#include "rbd/image_look_up.hpp"

#include <stdexcept>

#include <taskd/error.hpp>

namespace taskd::worker {
namespace {

ceph::TaskRecord record_of(const nlohmann::json& arguments, const WorkOptions& options) {
    ceph::TaskRecord record;
    record.arguments = arguments;
    record.priority = to_string(options.priority);
    if (options.deadline) record.deadline = format_utc(std::chrono::system_clock::now() + *options.deadline);
    return record;
}

WorkOptions options_of(const ceph::TaskRecord& record) {
    WorkOptions options;
    options.priority = priority_from(record.priority);
    if (!record.deadline.empty()) {
        const auto left = parse_utc(record.deadline) - std::chrono::system_clock::now();
        options.deadline =
            std::max(std::chrono::duration_cast<std::chrono::milliseconds>(left), std::chrono::milliseconds(0));
    }
    return options;
}

/// What is to be found out before the task is accepted; empty when nothing is.
ceph::JournalledExecutor::Prepare preparation(const std::shared_ptr<ceph::Cluster>& cluster,
                                              const rbd::Operation& operation, const nlohmann::json& arguments,
                                              WorkerExecutor& executor) {
    // Who gave the id of an image means that one, whoever has its name by now.
    const auto by_id = rbd::image_id_of(operation, arguments);
    if (!by_id && operation.bound_image == nullptr) return {};
    return [cluster, by_id, by_name = by_id ? rbd::ImageSpec() : operation.bound_image(arguments), inner = &executor](
               ceph::TaskRecord& record, std::function<void()> go_on) {
        const auto handle_facts = [&record, inner, is_new = !by_id, go_on = std::move(go_on)](const auto& found) {
            record.bound = nlohmann::json::object();
            if (found && is_new) record.bound["image_id"] = found->id;
            record.heavy = found && found->is_slow_to_remove();
            inner->bind(record.bound);
            inner->set_heavy(record.heavy);
            go_on();
        };
        return by_id ? rbd::look_up_image(cluster, *by_id, handle_facts)
                     : rbd::look_up_image(cluster, by_name, handle_facts);
    };
}

}  // namespace

OperationService::OperationService(TaskManager& tasks, const rbd::OperationRegistry& registry, Dispatcher& dispatcher,
                                   rbd::Limits limits, Task::ExceptionHandler exception_handler, Durability durability)
    : tasks_(tasks),
      registry_(registry),
      dispatcher_(dispatcher),
      limits_(limits),
      exception_handler_(std::move(exception_handler)),
      durability_(std::move(durability)) {}

const rbd::Operation& OperationService::operation(std::string_view name) const {
    const rbd::Operation* operation = registry_.find(name);
    if (operation == nullptr) throw std::out_of_range("no operation '" + std::string(name) + "'");
    return *operation;
}

RunOptions OperationService::run_options(const rbd::Operation& wanted, const nlohmann::json& arguments,
                                         const WorkOptions& options, QueueRoom room) {
    RunOptions run;
    run.exception_handler = exception_handler_;
    run.arguments = arguments;
    run.owner = options.owner;
    auto executor = std::make_unique<WorkerExecutor>(dispatcher_, std::move(room), wanted, options);
    if (!durability_.journal) {
        run.executor = std::move(executor);
        return run;
    }
    auto prepare = preparation(durability_.cluster, wanted, arguments, *executor);
    run.accepted = false;
    run.executor = std::make_unique<ceph::JournalledExecutor>(
        std::move(executor), durability_.journal, record_of(arguments, options),
        ceph::JournalledExecutor::Record::is_new, std::move(prepare));
    return run;
}

std::shared_ptr<Task> OperationService::submit(std::string_view name, const nlohmann::json& given,
                                               const WorkOptions& options) {
    const rbd::Operation& wanted = operation(name);
    nlohmann::json arguments = wanted.decode(given, limits_);
    nlohmann::json metadata = wanted.metadata(arguments);
    // Refused before it is a task: a flood of refusals must not push real tasks off the list.
    auto room = dispatcher_.keep_room();

    return run_or_join(tasks_, std::string(name), std::move(metadata), {},
                       run_options(wanted, arguments, options, std::move(room)));
}

std::shared_ptr<Task> OperationService::resume(const ceph::TaskRecord& record) {
    const rbd::Operation* wanted = registry_.find(record.name);
    if (wanted == nullptr)
        throw Error(ErrorKind::internal, ENOSYS, "taskd", "this ceph-taskd knows no operation '" + record.name + "'");
    auto executor = std::make_unique<WorkerExecutor>(dispatcher_, dispatcher_.keep_room_for_accepted(), *wanted,
                                                     options_of(record));
    executor->bind(record.bound);
    executor->set_heavy(record.heavy);
    ceph::TaskRecord resumed = record;
    ++resumed.attempts;
    executor->set_attempts_before(resumed.attempts);
    durability_.journal->update(resumed);

    RunOptions run;
    run.exception_handler = exception_handler_;
    run.arguments = record.arguments;
    run.id = record.id;
    run.begin_time = record.begin_time;
    run.attempts = resumed.attempts;
    run.owner = record.owner;
    run.executor = std::make_unique<ceph::JournalledExecutor>(std::move(executor), durability_.journal, record,
                                                              ceph::JournalledExecutor::Record::is_durable);
    return tasks_.run_function(record.name, record.metadata, {}, std::move(run));
}

}  // namespace taskd::worker
