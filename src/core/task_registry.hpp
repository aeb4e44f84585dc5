#pragma once

#include "core/finished_tasks.hpp"
#include "core/mutex.hpp"
#include "core/task_impl.hpp"

#include <map>
#include <memory>
#include <memory_resource>
#include <unordered_map>

#include <taskd/task_changes.hpp>
#include <taskd/task_manager.hpp>

namespace taskd {

/// The two lists of tasks and the rules over them: identity among the executing, retention among the finished.
/// Shared by the manager and the tasks, which may end after the manager is gone.
/// @thread  Any; one leaf mutex; nothing but a NameFilter is called while it is held.
class TaskRegistry {
  public:
    TaskRegistry(Retention retention, const Clock& clock) : retention_(retention), clock_(clock) {}

    /// Adds the task, or returns the executing one with the same name and metadata.
    std::shared_ptr<Task> add(std::shared_ptr<Task> task);
    /// Moves the task from the executing to the finished, and marks it so.
    /// @returns false when the manager is gone: nobody lists it
    bool finish(const std::shared_ptr<Task>& task);
    /// Adds a task that finished in an earlier life of the program.
    void add_finished(std::shared_ptr<Task> task);

    std::shared_ptr<Task> find(std::string_view name, const std::string& identity) const;
    std::shared_ptr<Task> find_by_id(std::string_view id) const;
    TaskList list(std::string_view name_glob) const;
    std::string list_text(const NameFilter& wanted, const OtherTasks& others);
    void sweep();
    std::size_t executing_count() const;
    /// Lets go of all tasks, for good: the manager goes.
    void close();

    NotificationQueue& notifications() noexcept { return notifications_; }
    TaskChanges& changes() noexcept { return changes_; }

  private:
    /// The executing tasks of one name, by the identity of their metadata.
    using SameName = std::pmr::unordered_map<std::string_view, std::shared_ptr<Task>>;
    using Dropped = std::vector<std::shared_ptr<Task>>;
    /// An executing task, and copies of what it is sorted by: to look into the tasks for that would look for each of
    /// them in memory again and again.
    struct Begun {
        WallTime begin_time;
        std::uint64_t sequence;
        std::shared_ptr<Task> task;
    };

    std::vector<Begun> begun(const NameFilter& wanted) const TASKD_REQUIRES(mutex_);
    bool executes(const OtherTask& other) const TASKD_REQUIRES(mutex_);
    void fill_in(std::vector<FinishedTasks::Piece>& pieces);
    static void append(std::string& text, const std::vector<Begun>& executing, const std::vector<OtherTask>& others);
    bool is_expired(const Task& task, SteadyTime now) const;
    void add_id(Task& task) TASKD_REQUIRES(mutex_);
    void erase_id(Task& task) TASKD_REQUIRES(mutex_);
    void insert_by_end(std::shared_ptr<Task> task, Dropped& dropped) TASKD_REQUIRES(mutex_);
    void drop_oldest_into(Dropped& dropped) TASKD_REQUIRES(mutex_);

    const Retention retention_;
    const Clock& clock_;
    NotificationQueue notifications_;
    TaskChanges changes_;

    mutable Mutex mutex_;
    bool closed_ TASKD_GUARDED_BY(mutex_) = false;
    /// Of the nodes below, which come and go with each task, at one thread and another: the allocator of all threads
    /// would be asked for them by each in turn.
    std::pmr::unsynchronized_pool_resource nodes_ TASKD_GUARDED_BY(mutex_);
    std::uint64_t next_sequence_ TASKD_GUARDED_BY(mutex_) = 0;
    std::size_t executing_count_ TASKD_GUARDED_BY(mutex_) = 0;
    /// Names stay when their last task ends: there are few, and a hot one is not made anew for each task.
    std::map<std::string, SameName, std::less<>> executing_ TASKD_GUARDED_BY(mutex_);
    /// In the order of their begin: what comes and goes is at the end, and near in memory however many execute.
    TasksById by_id_ TASKD_GUARDED_BY(mutex_){&nodes_};
    FinishedTasks finished_ TASKD_GUARDED_BY(mutex_);  ///< Ordered by end_steady.
    /// Listed no more, to be destroyed by who adds the next ones: their memory is given back where it is asked for
    /// again, rather than where tasks end, on another core and to another arena.
    Dropped unlisted_ TASKD_GUARDED_BY(mutex_);
};

}  // namespace taskd
