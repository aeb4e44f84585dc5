#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <nlohmann/json.hpp>
#include <taskd/executor.hpp>

namespace taskd {

struct AioLimits {
    /// Tasks whose operations are under way. librados blocks whoever starts more than `objecter_inflight_ops` (1024).
    std::size_t in_flight = 512;
    std::size_t capacity = 1'000'000;              ///< Tasks that may wait for their turn.
    std::chrono::milliseconds stop_grace{10'000};  ///< How long `stop` waits for operations under way.
};

/// Bounds how many AioExecutors run at once and ends their tasks, on one thread of its own (taskd-aio).
///
/// Why not on librados' thread, where the callbacks come: ending a task runs code of others (the function that makes
/// its value, the exception handler, whoever waits for the task), and while that runs librados completes nothing else;
/// a blocking librados call in it would wait for itself for ever. So the callback stores the result, posts and returns.
/// @thread  Any.
class AioWindow {
  public:
    explicit AioWindow(AioLimits limits = {});
    ~AioWindow();
    AioWindow(const AioWindow&) = delete;
    AioWindow& operator=(const AioWindow&) = delete;

    /// Fails the tasks that wait (ECANCELED), waits `stop_grace` for those under way and fails what is left (ETIMEDOUT:
    /// librados has no way to take an operation back). Idempotent. Call it before the cluster handle is closed.
    void stop();

    std::size_t in_flight() const;
    std::size_t waiting() const;

    struct State;

  private:
    friend class AioExecutor;
    std::shared_ptr<State> state_;
};

/// What the function of an AioExecutor's task starts its operations on. A copy stands for the same task.
/// @thread  `start` and `on_success` from within the task's function only.
class AioCompletion {
  public:
    /// Calls a `rados_aio_*` function with the `rados_completion_t` it is given, and returns its return code.
    using Start = std::function<int(void* completion)>;

    /// Starts one operation; a task may have several, and ends after the last of them. Buffers given to librados must
    /// outlive it: capture them in `on_success`.
    /// @param context  What is done to which object: "write object 'x'". Becomes part of the error when it fails.
    /// @throws Error when librados refuses to start it; letting it through fails the task.
    void start(std::string context, const Start& start) const;

    /// Makes the task's value when every operation has succeeded; a throw fails the task. Called once or never, on the
    /// window's thread, with the (non-negative) return code of the operation that ended last. Kept, with what it
    /// captured, until librados has let go of every operation. Without it the value is what the function returned.
    void on_success(std::function<nlohmann::json(int rc)> make_value) const;

    class Run;

  private:
    friend class AioExecutor;
    explicit AioCompletion(std::shared_ptr<Run> run) : run_(std::move(run)) {}
    std::shared_ptr<Run> run_;
};

/// Runs a task whose function starts librados aio operations; their end is the task's.
///
///     auto executor = std::make_unique<AioExecutor>(window);
///     manager.run("object/write", metadata, [completion = executor->completion(), &io, data] {
///         completion.start("write object 'x'", [&](void* c) {
///             return rados_aio_write_full(io.handle(), "x", c, data->data(), data->size());
///         });
///         completion.on_success([data](int) { return nullptr; });   // and data lives until then
///     }, {.executor = std::move(executor)});
///
/// The function runs in the thread that called `TaskManager::run`, or on the window's when the window is full. The task
/// fails when the function throws, when it starts no operation, and with the first operation that does, as
/// `[errno 2] RADOS object not found (read object 'x')`, component "rados".
/// Cancelling ends a task that waits for its turn. One whose operations are under way ends only with `force`, as
/// cancelled, and they may still take effect.
class AioExecutor : public TaskExecutor {
  public:
    /// @param window  Must outlive the task's run.
    explicit AioExecutor(AioWindow& window);
    ~AioExecutor() override;

    AioCompletion completion() const { return AioCompletion(run_); }

    /// @throws QueueFull
    void start() override;
    void cancel(bool force) override;

  private:
    friend class AioCompletion::Run;
    friend struct AioWindow::State;
    void begin();

    std::shared_ptr<AioWindow::State> window_;
    std::shared_ptr<AioCompletion::Run> run_;
    std::atomic<std::uint64_t> place_{0};  ///< In the queue of those that wait; 0 when it never waited.
};

}  // namespace taskd
