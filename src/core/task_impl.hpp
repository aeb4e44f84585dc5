#pragma once

#include "core/mutex.hpp"

#include <atomic>
#include <map>
#include <memory_resource>
#include <optional>
#include <string_view>

#include <boost/container/small_vector.hpp>
#include <taskd/executor.hpp>
#include <taskd/task.hpp>

namespace taskd {

class TaskObserver;
class TaskRegistry;

using TasksById = std::pmr::map<std::string_view, Task*>;

/// How many TaskChanges gather, in the whole program: all that a change costs while nobody watches.
inline std::atomic<int> change_watchers{0};

/// The state of a task. What never changes after construction needs no lock; the outcome is written once, before
/// `finished` is set, and read after it was seen.
struct Task::Impl {
    struct Waiter {
        WaiterId id;
        std::function<void()> callback;
        bool until_accepted = false;  ///< Or until it has ended without.
    };

    using Waiters = boost::container::small_vector<Waiter, 1>;  // most tasks have one: whoever sent them

    const Clock* clock = nullptr;
    TaskObserver* observer = nullptr;
    std::shared_ptr<TaskRegistry> registry;  ///< Which lets go of all tasks when its manager goes.
    std::string id;
    std::string name;
    nlohmann::json metadata;
    nlohmann::json arguments;
    std::string owner;
    std::function<nlohmann::json(const nlohmann::json&)> listed_value;
    ExceptionHandler exception_handler;
    WallTime begin_time;
    SteadyTime begin_steady;
    std::string identity;                            ///< Of the metadata: the registry's key.
    std::uint64_t sequence = 0;                      ///< Order of acceptance, given by the registry.
    std::optional<TasksById::iterator> place_by_id;  ///< The registry's, under its lock.

    /// The one that runs it: the given one, or the pool's, which lives here and costs no allocation.
    TaskExecutor* executor = nullptr;
    std::unique_ptr<TaskExecutor> given_executor;
    std::optional<ThreadedExecutor> pool_executor;
    TaskFunction function;  ///< Moved out by whoever runs it.

    std::atomic<int> progress{0};
    std::atomic<bool> accepted{true};
    std::atomic<bool> finishing{false};        ///< Claimed by the first `finish`.
    std::atomic<bool> change_is_noted{false};  ///< TaskChanges has it already.
    /// Set together with the move to the finished tasks, under the registry's lock.
    std::atomic<bool> finished{false};

    // The outcome: see above.
    nlohmann::json ret_value;
    std::optional<nlohmann::json> listed_ret_value;  ///< None: it is listed as it is.
    nlohmann::json exception;
    std::exception_ptr error;
    int end_progress = 0;  ///< A late `set_progress` may still write to `progress`.
    WallTime end_time;
    SteadyTime end_steady;
    nlohmann::json restored_view;  ///< A task of an earlier life of the program: what was listed then.

    mutable Mutex mutex;
    TaskPhase phase TASKD_GUARDED_BY(mutex) = TaskPhase::queued;
    std::optional<WallTime> started_at TASKD_GUARDED_BY(mutex);
    SteadyTime started_steady TASKD_GUARDED_BY(mutex);  ///< The same moment.
    std::optional<WallTime> stalled_since TASKD_GUARDED_BY(mutex);
    std::string waiting_for TASKD_GUARDED_BY(mutex);
    std::size_t queue_position TASKD_GUARDED_BY(mutex) = 0;
    std::size_t told_queue_position TASKD_GUARDED_BY(mutex) = 0;  ///< As those who watch changes were told last.
    nlohmann::json bound TASKD_GUARDED_BY(mutex);
    int attempts TASKD_GUARDED_BY(mutex) = 0;
    std::shared_ptr<const std::string> finished_text TASKD_GUARDED_BY(mutex);
    /// Of an executing task, up to its progress; freed when it has finished.
    std::shared_ptr<const std::string> executing_head TASKD_GUARDED_BY(mutex);
    bool released TASKD_GUARDED_BY(mutex) = false;  ///< Waiters were called; later ones find the task finished.
    WaiterId last_waiter TASKD_GUARDED_BY(mutex) = 0;
    Waiters waiters TASKD_GUARDED_BY(mutex);

    /// Since it first began to run; none when it never did.
    std::optional<std::chrono::nanoseconds> running_time(SteadyTime end) const {
        MutexLock lock(mutex);
        if (!started_at) return std::nullopt;
        return end - started_steady;
    }

    /// Calls them, in this thread; what they throw is logged.
    void call(const Waiters& called) const;

    /// For those who watch: something of the task is not as it was.
    void tell_change(Task& task) const {
        if (change_watchers.load(std::memory_order_relaxed) != 0) note_change(task);
    }
    void note_change(Task& task) const;

    double duration_s() const {
        const auto end = finished.load(std::memory_order_acquire) ? end_steady : clock->steady();
        return std::chrono::duration<double>(end - begin_steady).count();
    }
};

/// Only the library can make one, so only it can make tasks.
class Task::Access {
    friend class TaskManager;
    Access() = default;
};

/// A task and its state in one allocation: with a hundred thousand of them that is felt.
struct StoredTask final : Task {
    explicit StoredTask(const Access& access) : Task(access, state) {}

    Impl state;
};

}  // namespace taskd
