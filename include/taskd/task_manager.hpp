#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>
#include <taskd/clock.hpp>
#include <taskd/executor.hpp>
#include <taskd/notification_queue.hpp>
#include <taskd/other_tasks.hpp>
#include <taskd/task.hpp>
#include <taskd/task_changes.hpp>

namespace taskd {

/// How long finished tasks stay listed. Over the whole list, never over a filtered one.
struct Retention {
    std::chrono::nanoseconds ttl = std::chrono::seconds(60);  ///< Since their end, by the steady clock.
    std::size_t keep = 10;           ///< The most recently finished that stay longer than that.
    std::size_t most_listed = 1000;  ///< Never more than these, however young.
};

/// Is told of the way of each task, to count. Called in the thread that takes the task there: must not block or throw.
class TaskObserver {
  public:
    enum class Outcome { success, failure, cancelled };

    TaskObserver() = default;
    TaskObserver(const TaskObserver&) = delete;
    TaskObserver& operator=(const TaskObserver&) = delete;
    virtual ~TaskObserver() = default;

    /// It begins to run for the first time, `waited` after it came. Not told of a task of an earlier life.
    virtual void handle_start(const Task& task, std::chrono::nanoseconds waited) noexcept = 0;
    /// It ends, and was accepted; whoever waits for it is told afterwards.
    /// @param ran  Since it first began to run in this life of the program; none when it never did.
    virtual void handle_end(const Task& task, Outcome outcome,
                            std::optional<std::chrono::nanoseconds> ran) noexcept = 0;
};

struct TaskManagerOptions {
    Retention retention = {};
    /// How often finished tasks are swept when nobody lists; zero never (tests).
    std::chrono::milliseconds sweep_interval = std::chrono::seconds(5);
    std::size_t threads = 8;                ///< Of the default executor's pool.
    std::size_t capacity = 1'000'000;       ///< Tasks that may wait for a thread of that pool.
    const Clock* clock = &Clock::system();  ///< Must outlive every task.
    TaskObserver* observer = nullptr;       ///< None, or one that outlives every task.
};

/// What `run` may be told beside the function.
struct RunOptions {
    std::unique_ptr<TaskExecutor> executor = {};    ///< None: a ThreadedExecutor on the manager's pool.
    Task::ExceptionHandler exception_handler = {};  ///< None: {"detail": text}.
    nlohmann::json arguments = nullptr;             ///< Kept with the task, see `Task::arguments`.
    bool accepted = true;                           ///< False: the executor calls `Task::set_accepted`.
    std::string id = {};                            ///< A recovered task keeps its id; empty makes a new one.
    std::optional<WallTime> begin_time = {};        ///< … and its begin time,
    int attempts = 0;                               ///< … and counts on from those of its earlier lives.
    std::string owner = {};                         ///< See `Task::owner`.
    /// What lists, history and journal show in place of the value, which is for those who wait for the task. Called
    /// once, in the thread that ends it; when it throws, null is shown. None: the value.
    std::function<nlohmann::json(const nlohmann::json& value)> listed_value = {};
};

/// Whether tasks of a name are meant.
using NameFilter = std::function<bool(std::string_view name)>;

/// The tasks that a caller sees: newest first, executing by begin time, finished by end time.
struct TaskList {
    std::vector<std::shared_ptr<Task>> executing;
    std::vector<std::shared_ptr<Task>> finished;
};

/// Runs functions as tasks and keeps the list of them.
///
/// Two unfinished tasks never have the same name and metadata: `run` with the pair of one that executes starts nothing
/// and returns that one. Metadata compares as JSON: key order is irrelevant, 1 equals 1.0, neither equals "1" or true.
/// The cost of a run and of an end does not depend on how many tasks execute.
/// @thread  Every member is safe from any thread; none blocks on a task's function.
/// @source  Ceph dashboard `tools.TaskManager`; docs/architecture.md tells where it differs.
class TaskManager {
  public:
    /// Posted when a task has finished and left the executing list: value is `{"id", "name", "metadata"}`.
    static constexpr std::string_view finished_event = "cd_task_finished";

    explicit TaskManager(TaskManagerOptions options = {});
    /// Waits for the tasks of its own pool and delivers what was announced; both may still call the manager meanwhile.
    /// Must not be called by a task's function or a listener.
    ~TaskManager();
    TaskManager(const TaskManager&) = delete;
    TaskManager& operator=(const TaskManager&) = delete;

    /// Runs `fn(args...)` as a task and returns it, or the unfinished task with the same name and metadata.
    /// @param metadata  A JSON object (null counts as empty) of valid UTF-8, nested at most 64 levels deep.
    /// @throws BadRequest (name or metadata is not as said). Whatever goes wrong later fails the task instead.
    template <class F, class... Args>
    std::shared_ptr<Task> run(std::string name, nlohmann::json metadata, F&& fn, RunOptions options = {},
                              Args&&... args);
    /// The same for a function without arguments. `created` tells whether the task is new.
    std::shared_ptr<Task> run_function(std::string name, nlohmann::json metadata, TaskFunction fn, RunOptions options,
                                       bool* created = nullptr);

    /// The unfinished task with this pair, or null.
    std::shared_ptr<Task> find(std::string_view name, const nlohmann::json& metadata) const;
    /// The executing or still listed task with this id, or null.
    std::shared_ptr<Task> find_by_id(std::string_view id) const;

    /// @param name_glob  fnmatch: `*` crosses `/`; empty matches all.
    /// Applies the retention rule after the answer was composed.
    TaskList list(std::string_view name_glob = {});
    /// `{"executing_tasks": […], "finished_tasks": […]}` as the dashboard serialises them.
    nlohmann::json list_json(std::string_view name_glob = {});
    /// The same as text, bytes that are no UTF-8 replaced, for a page that polls: what has not changed since the last
    /// call is not written anew.
    /// @param wanted  Called for names while the list is locked: must not call the manager. None: all are wanted.
    /// @param others  Listed among them, where their name is wanted.
    std::string list_text(const NameFilter& wanted = {}, const OtherTasks& others = {});
    std::size_t executing_count() const noexcept;

    /// Applies the retention rule now.
    void sweep();
    /// Puts a task that finished in an earlier life of the program back on the list, in the order of its end.
    /// @param finished_view  As `Task::finished_json` made it.
    /// @throws BadRequest, nlohmann::json::exception when it is not.
    void restore_finished(std::string id, std::string name, nlohmann::json metadata, nlohmann::json finished_view);

    NotificationQueue& notifications() noexcept;
    /// What has changed since the last look; for one watcher. Tasks that are not accepted are among them.
    TaskChanges& changes() noexcept;
    ThreadPool& pool() noexcept;

    /// The task whose function this thread runs. @throws std::logic_error elsewhere.
    static std::shared_ptr<Task> current_task() { return taskd::current_task(); }

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

namespace detail {

/// The function's value, null when it is void.
template <class F, class... Args>
nlohmann::json result_of(F& function, Args&... arguments) {
    if constexpr (std::is_void_v<std::invoke_result_t<F&, Args&...>>) {
        std::invoke(function, arguments...);
        return nullptr;
    } else {
        return std::invoke(function, arguments...);
    }
}

}  // namespace detail

template <class F, class... Args>
std::shared_ptr<Task> TaskManager::run(std::string name, nlohmann::json metadata, F&& fn, RunOptions options,
                                       Args&&... args) {
    TaskFunction call;
    if constexpr (sizeof...(Args) == 0 && std::is_copy_constructible_v<std::decay_t<F>>) {
        call = [function = std::decay_t<F>(std::forward<F>(fn))]() mutable { return detail::result_of(function); };
    } else {
        // std::function wants a copyable callable, so what cannot be copied lives in a shared holder.
        auto bound = std::make_shared<std::tuple<std::decay_t<F>, std::decay_t<Args>...>>(std::forward<F>(fn),
                                                                                          std::forward<Args>(args)...);
        call = [bound = std::move(bound)] {
            return std::apply([](auto&... parts) { return detail::result_of(parts...); }, *bound);
        };
    }
    return run_function(std::move(name), std::move(metadata), std::move(call), std::move(options));
}

}  // namespace taskd
