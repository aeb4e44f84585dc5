#pragma once

#include "worker/job_queue.hpp"
#include "worker/queue_room.hpp"
#include "worker/worker.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <taskd/clock.hpp>
#include <taskd/task.hpp>

namespace boost::asio {
class io_context;
}

namespace taskd::worker {

struct DispatcherOptions {
    std::size_t workers = 2;                         ///< Processes that run operations side by side.
    std::size_t threads_per_worker = 16;             ///< Operations in each.
    std::size_t quarantine_workers = 4;              ///< Processes for single operations whose worker died.
    int most_attempts = 3;                           ///< Of an operation whose worker dies under it.
    QueueLimits queue;                               ///< Its slots follow from the workers that are ready.
    std::chrono::milliseconds stall_after{10'000};   ///< Without progress a running task is marked stalled.
    std::chrono::milliseconds cancel_grace{2'000};   ///< From asking an operation to stop to ending its worker.
    std::chrono::milliseconds ready_within{60'000};  ///< A new worker must have connected by then.
    std::chrono::milliseconds tick{250};             ///< How often the times above and deadlines are looked at.
    /// Fences a worker that ended with jobs in it, so that nothing it still had under way arrives and its watches on
    /// images go, then calls `fenced`, from any thread; must not block. Its jobs run again only then: when it is done
    /// or was refused for good. Nobody answered: it is called again. None: they run again at once.
    enum class Fence { settled, unanswered };
    std::function<void(std::string address, std::function<void(Fence outcome)> fenced)> fence_worker;
    /// Makes these cluster addresses of all workers durable, then calls `recorded`, from any thread; must not block. A
    /// worker gets its first job only then, so that every one that ever did anything can be fenced. None: not needed.
    std::function<void(std::vector<std::string> addresses, std::function<void()> recorded)> record_workers;
};

/// A job as the dispatcher takes it.
struct Job {
    std::shared_ptr<Task> task;
    std::string operation;
    nlohmann::json arguments;
    QueuedJob place;                                    ///< Its id is the task's.
    std::optional<std::chrono::milliseconds> deadline;  ///< From now; then it is cancelled, by force if need be.
    int attempts_before = 0;                            ///< In an earlier life of the daemon.
    QueueRoom room;                                     ///< From `Dispatcher::keep_room`.
    std::string left_behind = "what it had done so far stays";  ///< When it is ended by force, in words.
    /// Called once, on the dispatcher's thread, with the result or the error; never when the job is abandoned by
    /// `stop`.
    std::function<void(nlohmann::json value, std::exception_ptr error)> on_end;
};

/// A look at the dispatcher, for metrics and the service map.
struct DispatcherStatus {
    std::size_t waiting = 0;
    std::size_t running = 0;
    std::size_t workers_ready = 0;
    std::size_t worker_deaths = 0;
    std::size_t worker_starts = 0;  ///< Quarantine workers', too.
    std::size_t stalled = 0;
    std::size_t capacity = 0;                 ///< Of the queue.
    std::chrono::nanoseconds oldest_wait{0};  ///< How long the one that waits longest does; right to within a tick.
    std::string last_worker_end;              ///< Why the last one ended, empty when none did.
};

/// Gives queued jobs to workers, and keeps the workers alive.
///
/// A worker that dies is replaced (at once, then with growing pauses up to 5 s); its jobs run again one by one, each
/// alone in a quarantine worker, so that only the job that kills its worker fails, after `most_attempts`.
/// @thread  Every public member is safe from any thread and does not block, but `stop`. State lives on one thread.
class Dispatcher {
  public:
    enum class Role { shared, quarantine };
    /// Makes a worker that reports to `events` on `context`.
    using WorkerFactory =
        std::function<std::unique_ptr<Worker>(Role role, boost::asio::io_context& context, WorkerEvents& events)>;

    Dispatcher(DispatcherOptions options, WorkerFactory factory, const Clock& clock = Clock::system());
    ~Dispatcher();
    Dispatcher(const Dispatcher&) = delete;
    Dispatcher& operator=(const Dispatcher&) = delete;

    /// Keeps room for a job that is about to be accepted.
    /// @throws QueueFull
    QueueRoom keep_room();
    /// The same for a job of an earlier life: its acceptance was told, so it is never refused for want of room.
    QueueRoom keep_room_for_accepted();
    /// Queues a job that has room.
    void submit(Job job);
    /// A waiting job ends at once; a running one is asked, and with `force` its worker ends after the grace time.
    /// Either way the task then fails with ErrorKind::cancelled. Unknown ids are ignored.
    void cancel(std::string task_id, bool force);
    /// Starts nothing more, lets running jobs end for `grace`, abandons the rest, ends the workers and joins.
    void stop(std::chrono::milliseconds grace);
    /// As `stop`, but at once and by force: nothing of ours touches the cluster any more when it returns.
    void stop_now();

    DispatcherStatus status() const;
    /// The cluster addresses of the workers that are ready, to be fenced should this process die.
    std::vector<std::string> worker_addresses() const;

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace taskd::worker
