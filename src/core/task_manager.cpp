#include "core/task_id.hpp"
#include "core/task_impl.hpp"
#include "core/task_registry.hpp"
#include "core/thread_name.hpp"
#include "core/utf8.hpp"

#include <condition_variable>
#include <stop_token>
#include <thread>

#include <taskd/error.hpp>
#include <taskd/identity.hpp>
#include <taskd/task_manager.hpp>

namespace taskd {

struct TaskManager::Impl {
    explicit Impl(const TaskManagerOptions& options)
        : clock(*options.clock),
          observer(options.observer),
          registry(std::make_shared<TaskRegistry>(options.retention, *options.clock)),
          pool("taskd-task", options.threads, options.capacity) {}

    const Clock& clock;
    TaskObserver* const observer;
    const std::shared_ptr<TaskRegistry> registry;
    ThreadPool pool;
    std::jthread sweeper;  // last: it uses the registry
};

namespace {

void sweep_until_stopped(const std::stop_token& stop, TaskRegistry& registry, std::chrono::milliseconds interval) {
    name_this_thread("taskd-sweep");
    std::mutex mutex;
    std::condition_variable_any wake;
    std::unique_lock lock(mutex);
    while (!stop.stop_requested()) {
        wake.wait_for(lock, stop, interval, [] { return false; });
        registry.sweep();
    }
}

/// The text of what was listed as `exception`.
std::string detail_of(const nlohmann::json& exception) {
    const auto detail = exception.find("detail");
    return detail != exception.end() && detail->is_string() ? detail->get<std::string>() : "failed";
}

}  // namespace

TaskManager::TaskManager(TaskManagerOptions options) : impl_(std::make_unique<Impl>(options)) {
    impl_->registry->notifications().start();
    if (options.sweep_interval.count() > 0)
        impl_->sweeper =
            std::jthread([registry = impl_->registry, interval = options.sweep_interval](const std::stop_token& stop) {
                sweep_until_stopped(stop, *registry, interval);
            });
}

TaskManager::~TaskManager() {
    // While the manager still works, because task functions and listeners may call it; tasks first, so that what they
    // announce is delivered.
    impl_->sweeper = {};
    impl_->pool.join();
    impl_->registry->notifications().stop();
    impl_->registry->close();
}

std::shared_ptr<Task> TaskManager::run_function(std::string name, nlohmann::json metadata, TaskFunction fn,
                                                RunOptions options, bool* created) {
    if (!is_valid_utf8(name)) throw BadRequest("name", "not valid UTF-8");
    if (metadata.is_null()) metadata = nlohmann::json::object();
    const auto made = std::make_shared<StoredTask>(Task::Access());
    Task::Impl& impl = made->state;
    impl.identity = identity_of(metadata);
    impl.clock = &impl_->clock;
    impl.observer = impl_->observer;
    impl.registry = impl_->registry;
    impl.name = std::move(name);
    impl.metadata = std::move(metadata);
    impl.arguments = std::move(options.arguments);
    impl.owner = std::move(options.owner);
    impl.exception_handler = std::move(options.exception_handler);
    impl.listed_value = std::move(options.listed_value);
    const WallTime now = impl_->clock.wall();
    impl.begin_time = options.begin_time.value_or(now);
    // A recovered task goes on counting: by the wall clock, the only one that outlived the program.
    impl.begin_steady = impl_->clock.steady() - std::max(now - impl.begin_time, WallTime::duration::zero());
    impl.accepted = options.accepted;
    {
        MutexLock lock(impl.mutex);
        impl.attempts = options.attempts;
    }
    impl.id = options.id.empty() ? make_task_id(impl.begin_time) : std::move(options.id);
    impl.given_executor = std::move(options.executor);
    impl.executor = impl.given_executor ? impl.given_executor.get() : &impl.pool_executor.emplace(impl_->pool);
    impl.function = std::move(fn);

    TaskExecutor& executor = *impl.executor;
    executor.task_ = made.get();  // before anybody can find the task and cancel it
    auto task = impl_->registry->add(made);
    const bool is_new = task == made;
    if (created != nullptr) *created = is_new;
    if (!is_new) return task;
    impl.tell_change(*task);
    try {
        executor.init(task);
        executor.start();
    } catch (...) {
        executor.finish(nullptr, std::current_exception());
    }
    return task;
}

std::shared_ptr<Task> TaskManager::find(std::string_view name, const nlohmann::json& metadata) const {
    return impl_->registry->find(name, identity_of(metadata));
}

std::shared_ptr<Task> TaskManager::find_by_id(std::string_view id) const {
    return impl_->registry->find_by_id(id);
}

TaskList TaskManager::list(std::string_view name_glob) {
    auto found = impl_->registry->list(name_glob);
    impl_->registry->sweep();
    return found;
}

nlohmann::json TaskManager::list_json(std::string_view name_glob) {
    const TaskList found = list(name_glob);
    auto executing = nlohmann::json::array();
    for (const auto& task : found.executing) executing.push_back(task->executing_json());
    auto finished = nlohmann::json::array();
    for (const auto& task : found.finished) finished.push_back(task->finished_json());
    return {{"executing_tasks", std::move(executing)}, {"finished_tasks", std::move(finished)}};
}

std::string TaskManager::list_text(const NameFilter& wanted, const OtherTasks& others) {
    auto text = impl_->registry->list_text(wanted, others);
    impl_->registry->sweep();
    return text;
}

std::size_t TaskManager::executing_count() const noexcept {
    return impl_->registry->executing_count();
}

void TaskManager::sweep() {
    impl_->registry->sweep();
}

void TaskManager::restore_finished(std::string id, std::string name, nlohmann::json metadata,
                                   nlohmann::json finished_view) {
    auto restored = std::make_shared<StoredTask>(Task::Access());
    Task::Impl& impl = restored->state;
    impl.clock = &impl_->clock;
    impl.id = std::move(id);
    impl.name = std::move(name);
    impl.metadata = std::move(metadata);
    impl.identity = identity_of(impl.metadata);
    impl.begin_time = parse_utc(finished_view.at("begin_time").get<std::string>());
    impl.end_time = parse_utc(finished_view.at("end_time").get<std::string>());
    // The steady clock of an earlier life means nothing now: the age is taken over from the wall clock.
    const auto age = std::max(impl_->clock.wall() - impl.end_time, WallTime::duration::zero());
    impl.end_steady = impl_->clock.steady() - age;
    impl.begin_steady = impl.end_steady - (impl.end_time - impl.begin_time);
    impl.end_progress = finished_view.at("progress").get<int>();
    impl.ret_value = finished_view.at("ret_value");
    impl.exception = finished_view.at("exception");
    if (!finished_view.at("success").get<bool>())
        impl.error = std::make_exception_ptr(Error(ErrorKind::internal, 0, "taskd", detail_of(impl.exception)));
    impl.restored_view = std::move(finished_view);
    {
        MutexLock lock(impl.mutex);
        impl.released = true;
    }
    impl.finishing = true;
    impl.finished = true;
    impl_->registry->add_finished(std::move(restored));
}

NotificationQueue& TaskManager::notifications() noexcept {
    return impl_->registry->notifications();
}

TaskChanges& TaskManager::changes() noexcept {
    return impl_->registry->changes();
}

ThreadPool& TaskManager::pool() noexcept {
    return impl_->pool;
}

}  // namespace taskd
