#pragma once

#include <exception>
#include <functional>
#include <memory>

#include <nlohmann/json.hpp>

namespace taskd {

class Task;
class ThreadPool;

/// What a task runs. Void functions count as returning null.
using TaskFunction = std::function<nlohmann::json()>;

/// How a task's function is run: one object per task.
///
/// `init` then `start` are called once, in the thread that called `TaskManager::run`; a throw out of either fails the
/// task. Whoever runs the function calls `finish` exactly once, from any thread; further calls are ignored and logged.
/// This base class runs the function in the calling thread.
/// @thread  `finish` and `cancel` from any thread, `cancel` even before `init`; the others as said.
/// @source  Ceph dashboard `tools.TaskExecutor`.
class TaskExecutor {
  public:
    TaskExecutor() = default;
    virtual ~TaskExecutor() = default;
    TaskExecutor(const TaskExecutor&) = delete;
    TaskExecutor& operator=(const TaskExecutor&) = delete;

    /// Called with the task before `start`. The base class has nothing to prepare.
    virtual void init(std::shared_ptr<Task> task);
    /// Begins the task's function; need not wait for it.
    virtual void start();
    /// The task was asked to stop. The base class cannot, and does nothing. Must not block.
    virtual void cancel(bool force);
    /// Ends the task: with `ret_value`, or as failed when `error` is set.
    void finish(nlohmann::json ret_value, std::exception_ptr error = nullptr);

  protected:
    /// The task it runs; known from before `init` on.
    std::shared_ptr<Task> task() const;
    /// For an executor that wraps another: the inner one runs the same task. To be called before its `init`.
    void share_task_with(TaskExecutor& inner) const noexcept { inner.task_ = task_; }
    /// Runs the task's function here, with `current_task()` set, and finishes the task with what it gives.
    void run_function_and_finish();
    /// Runs the task's function here, with `current_task()` set; its value is the caller's to use.
    nlohmann::json run_function();

  private:
    friend class TaskManager;
    Task* task_ = nullptr;  // the task owns its executor, so it outlives it
};

/// Runs the function on a bounded pool of threads: the default.
/// `start` throws QueueFull when the pool's queue has no room.
class ThreadedExecutor : public TaskExecutor {
  public:
    /// @param pool  Must outlive the task's run.
    explicit ThreadedExecutor(ThreadPool& pool) : pool_(pool) {}
    void start() override;

  private:
    ThreadPool& pool_;
    std::shared_ptr<Task> waiting_;  ///< Itself, through its task, while it waits for a thread.
};

/// A fixed number of named threads with a bounded queue before them.
/// @thread  `post` from any thread.
class ThreadPool {
  public:
    /// @param name      Prefix of the thread names, at most 11 characters.
    /// @param threads   At least 1. @throws std::invalid_argument
    /// @param capacity  Jobs that may wait for a thread.
    ThreadPool(std::string name, std::size_t threads, std::size_t capacity);
    /// As `join`.
    ~ThreadPool();
    ThreadPool(const ThreadPool&) = delete;
    ThreadPool& operator=(const ThreadPool&) = delete;

    /// @throws QueueFull, Error (unavailable) after `join`
    void post(std::function<void()> job);
    /// Runs what is queued, and what that posts, then ends the threads. Must not be called by a job, nor twice at once.
    void join();
    std::size_t threads() const noexcept;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace taskd
