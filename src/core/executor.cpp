#include "core/task_impl.hpp"
#include "core/task_registry.hpp"
#include "core/utf8.hpp"

#include <cassert>
#include <stdexcept>
#include <utility>

#include <spdlog/spdlog.h>
#include <taskd/error.hpp>
#include <taskd/executor.hpp>
#include <taskd/task_manager.hpp>

namespace taskd {
namespace {

/// The task whose function this thread runs; its executor, which belongs to it, is on the stack.
thread_local Task* running_here = nullptr;

/// Sets it for a scope; functions may nest when an inline executor runs a task within a task.
class RunningHere {
  public:
    explicit RunningHere(Task* task) : before_(std::exchange(running_here, task)) {}
    ~RunningHere() { running_here = before_; }
    RunningHere(const RunningHere&) = delete;
    RunningHere& operator=(const RunningHere&) = delete;

  private:
    Task* const before_;
};

/// Sets what the task failed with and how that is listed; what the handler throws replaces the failure.
void describe_failure(const Task& task, Task::Impl& impl, std::exception_ptr error) {
    try {
        impl.exception = impl.exception_handler ? impl.exception_handler(error, task)
                                                : nlohmann::json{{"detail", error_text(error)}};
    } catch (...) {
        error = std::current_exception();
        impl.exception = {{"detail", error_text(error)}};
    }
    make_valid_utf8(impl.exception);
    impl.error = std::move(error);
}

/// Sets the value, and what is listed in its place.
void keep_value(Task::Impl& impl, nlohmann::json value) {
    make_valid_utf8(value);  // one bad text must not keep the whole list from being serialised
    impl.ret_value = std::move(value);
    // What it captured goes with it, however long the task stays listed.
    const auto listed_value = std::exchange(impl.listed_value, {});
    if (!listed_value) return;
    try {
        impl.listed_ret_value = listed_value(impl.ret_value);
    } catch (...) {
        impl.listed_ret_value = nullptr;
        spdlog::error("task {} ({}): its value is not listed: {}", impl.id, impl.name,
                      error_text(std::current_exception()));
    }
}

void call_waiters(Task::Impl& impl) {
    Task::Impl::Waiters waiters;
    {
        MutexLock lock(impl.mutex);
        impl.released = true;
        waiters.swap(impl.waiters);
    }
    impl.call(waiters);
}

TaskObserver::Outcome outcome_of(const std::exception_ptr& error) {
    if (!error) return TaskObserver::Outcome::success;
    try {
        std::rethrow_exception(error);
    } catch (const Error& known) {
        if (known.kind() == ErrorKind::cancelled) return TaskObserver::Outcome::cancelled;
    } catch (...) {
        return TaskObserver::Outcome::failure;
    }
    return TaskObserver::Outcome::failure;
}

void announce_end(NotificationQueue& notifications, const Task::Impl& impl) {
    if (!notifications.has_listener(TaskManager::finished_event)) return;
    try {
        notifications.new_notification(std::string(TaskManager::finished_event),
                                       {{"id", impl.id}, {"name", impl.name}, {"metadata", impl.metadata}});
    } catch (const QueueFull& full) {
        // The task itself has ended for everybody who waits for it; only its announcement is lost.
        spdlog::error("task {} ({}): end not announced: {}", impl.id, impl.name, full.what());
    }
}

}  // namespace

std::shared_ptr<Task> current_task() {
    if (running_here == nullptr) throw std::logic_error("no task's function runs in this thread");
    return running_here->shared_from_this();
}

void TaskExecutor::init(std::shared_ptr<Task> /*task*/) {}

void TaskExecutor::start() {
    run_function_and_finish();
}

void TaskExecutor::cancel(bool /*force*/) {}

std::shared_ptr<Task> TaskExecutor::task() const {
    assert(task_ != nullptr && "an executor has a task once TaskManager::run took it");
    return task_->shared_from_this();
}

nlohmann::json TaskExecutor::run_function() {
    const RunningHere scope(task_);
    task_->set_phase(TaskPhase::running);
    // Moved to this frame: what it captured goes with it, however long the finished task stays listed.
    const TaskFunction function = std::move(task_->impl_->function);
    return function();
}

void TaskExecutor::run_function_and_finish() {
    nlohmann::json value;
    std::exception_ptr error;
    try {
        value = run_function();
    } catch (...) {
        error = std::current_exception();
    }
    finish(std::move(value), std::move(error));
}

void TaskExecutor::finish(nlohmann::json ret_value, std::exception_ptr error) {
    const std::shared_ptr<Task> ended = task();  // the registry may drop its own reference below
    Task::Impl& impl = *ended->impl_;
    if (impl.finishing.exchange(true)) {
        spdlog::warn("task {} ({}): finish called again, ignored", impl.id, impl.name);
        return;
    }
    if (error) {
        impl.listed_value = {};
        describe_failure(*ended, impl, std::move(error));
        impl.end_progress = impl.progress.load(std::memory_order_relaxed);
    } else {
        keep_value(impl, std::move(ret_value));
        impl.end_progress = 100;
    }
    impl.end_time = impl.clock->wall();
    impl.end_steady = impl.clock->steady();
    if (impl.observer != nullptr && ended->is_accepted())
        impl.observer->handle_end(*ended, outcome_of(impl.error), impl.running_time(impl.end_steady));

    // Off the executing list before anybody is told, so that who waited for the task never still sees it there.
    const bool is_managed = impl.registry->finish(ended);
    impl.tell_change(*ended);
    call_waiters(impl);
    if (is_managed) announce_end(impl.registry->notifications(), impl);
}

void ThreadedExecutor::start() {
    // Kept here and not in the job, which so needs no allocation of its own.
    waiting_ = task();
    try {
        pool_.post([this] {
            const auto keep_alive = std::move(waiting_);
            run_function_and_finish();
        });
    } catch (...) {
        waiting_.reset();
        throw;
    }
}

}  // namespace taskd
