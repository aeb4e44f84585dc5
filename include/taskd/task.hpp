#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>
#include <taskd/clock.hpp>

namespace taskd {

class TaskExecutor;
class TaskManager;

inline constexpr std::string_view VALUE_DONE = "done";
inline constexpr std::string_view VALUE_EXECUTING = "executing";

/// What `Task::wait` answers: "done" with the result, or "executing" with null.
struct WaitResult {
    std::string_view state;
    nlohmann::json value;
};

/// Where a task is. `queued → running → finished`, and back to `queued` when the process that ran it died.
enum class TaskPhase { queued, running, finished };

std::string_view to_string(TaskPhase phase) noexcept;

/// What is known of a task beside the dashboard's view, as one consistent look.
struct TaskStatus {
    TaskPhase phase = TaskPhase::queued;
    WallTime begin_time;                 ///< When it was accepted.
    std::optional<WallTime> started_at;  ///< When it first began to run; begin_time to here is the wait.
    std::optional<WallTime> end_time;
    double duration_s = 0;                  ///< begin to end (or now), by the steady clock.
    int progress = 0;                       ///< Percent.
    int attempts = 0;                       ///< How often it was started, in earlier lives too.
    std::optional<WallTime> stalled_since;  ///< No progress since then, though it runs.
    std::string waiting_for;                ///< Why it waits or stalls, in words; empty when it does not.
    std::size_t queue_position = 0;         ///< In its pool's line, the next is 1; 0 when it is in none.
};

/// One run of a function, identified by (name, metadata) while it is unfinished.
///
/// Made by `TaskManager::run` only; shared by the manager, its executor and whoever waits for it.
/// @thread  Every member is safe from any thread.
/// @source  Ceph dashboard `tools.Task`.
class Task : public std::enable_shared_from_this<Task> {
  public:
    /// The argument of a call that only the library may make.
    class Access;

    /// Turns a failure into the JSON that is listed as `exception`. Called once, in the thread that ends the task; when
    /// it throws, what it threw replaces the failure.
    using ExceptionHandler = std::function<nlohmann::json(std::exception_ptr error, const Task& task)>;

    struct Impl;
    Task(const Access&, Impl& impl);
    ~Task();
    Task(const Task&) = delete;
    Task& operator=(const Task&) = delete;

    /// Unique and sortable by time of acceptance: 26 characters of [0-9A-Z] (a ULID).
    const std::string& id() const noexcept;
    const std::string& name() const noexcept;
    const nlohmann::json& metadata() const noexcept;
    /// What the operation was called with; null where the caller gave none. Never listed.
    const nlohmann::json& arguments() const noexcept;
    /// Who asked for it; empty where nobody said. Never listed.
    const std::string& owner() const noexcept;

    /// Waits until the task has finished, at most `timeout`.
    /// @throws  What the task failed with.
    WaitResult wait(std::optional<std::chrono::nanoseconds> timeout = std::nullopt) const;

    /// Names a callback given to `on_finished` or `on_accepted`; never 0.
    using WaiterId = std::uint64_t;

    /// Calls `callback` once, when the task has finished, from the thread that ends it; it must not block or throw.
    /// @returns 0, and never calls it, when the task has finished already.
    WaiterId on_finished(std::function<void()> callback) const;
    /// The same for when the task is accepted, or has ended without.
    /// @returns 0, and never calls it, when that is so already.
    WaiterId on_accepted(std::function<void()> callback) const;
    /// Gives the callback up, so that a task which runs for long does not collect those of everybody who asked.
    /// A call that is under way may still end after this returns.
    void forget(WaiterId waiter) const;

    bool is_finished() const noexcept;
    /// Whether callers may be told of the task, and lists show it: false while its executor still makes it durable.
    /// A task that ends before it was accepted leaves no trace in the lists.
    bool is_accepted() const noexcept;
    /// For executors of tasks that were run with `RunOptions::accepted` false.
    void set_accepted();
    TaskStatus status() const;
    /// The failure, null when the task succeeded or has not finished.
    std::exception_ptr failure() const;
    /// The result, null when the task failed or has not finished.
    nlohmann::json ret_value() const;
    /// What is listed as `exception`: null, the handler's object, or {"detail": text}.
    nlohmann::json exception_json() const;

    int progress() const noexcept;
    /// @throws std::invalid_argument unless 0 ≤ percent ≤ 100. Ignored once the task has finished.
    void set_progress(int percent);
    /// Adds, and saturates at 100. @throws std::invalid_argument when delta is negative.
    void inc_progress(int delta);

    /// For executors: what `status` shows. `set_phase` counts an attempt when it goes to running; never sets
    /// `finished`.
    void set_phase(TaskPhase phase);
    void set_waiting_for(std::string reason);
    /// Whoever watches changes is told of the first ten, and further back each time it has halved or doubled: in a long
    /// line everybody moves with every start.
    void set_queue_position(std::size_t position);
    void set_stalled(bool stalled);

    /// What was found out about it when it was accepted (`{"image_id": …}`), an object or null. Never listed.
    nlohmann::json bound() const;
    /// For executors.
    void set_bound(nlohmann::json bound);

    /// Asks the task to stop: the executor is told once per call, from this thread. Does nothing when finished.
    /// @param force  The executor may end the process that runs it.
    void cancel(bool force = false);

    /// The dashboard's view of it, keys exactly as its clients expect them. The value is the one that may be listed
    /// (`RunOptions::listed_value`).
    nlohmann::json executing_json() const;
    nlohmann::json finished_json() const;
    /// `executing_json()` as text, bytes that are no UTF-8 replaced. What does not change is kept from the first time
    /// on, unless it is long: a page that polls lists each task hundreds of times.
    std::string executing_text() const;
    void append_executing_text(std::string& text) const;
    /// `finished_json()` as text, bytes that are no UTF-8 replaced. Kept, unless it is long: lists are read far more
    /// often than tasks end.
    std::shared_ptr<const std::string> finished_text() const;

  private:
    friend class TaskChanges;
    friend class TaskManager;
    friend class TaskRegistry;
    friend class TaskExecutor;
    Impl* const impl_;  // the other half of the same allocation: see StoredTask in src/core/task_impl.hpp
};

/// The task whose function this thread runs. @throws std::logic_error elsewhere.
/// Same as `TaskManager::current_task`.
std::shared_ptr<Task> current_task();

}  // namespace taskd
