#pragma once

#include "core/mutex.hpp"
#include "worker/dispatcher.hpp"

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <taskd/error.hpp>

namespace taskd::worker {

namespace asio = boost::asio;
using std::chrono::milliseconds;

/// Its jobs are in dispatcher_jobs.cpp, its workers in dispatcher_workers.cpp, its beginning and end in dispatcher.cpp.
class Dispatcher::Impl final : public WorkerEvents {
  public:
    Impl(DispatcherOptions options, WorkerFactory factory, const Clock& clock)
        : options_(std::move(options)), factory_(std::move(factory)), clock_(clock), queue_([&] {
              QueueLimits limits = options_.queue;
              limits.slots = 0;            // until a worker is ready
              limits.capacity = SIZE_MAX;  // `keep_room` sees to it
              return limits;
          }()) {}
    ~Impl() override {
        MutexLock lock(doorway_->mutex);
        doorway_->dispatcher = nullptr;
    }

    void start();
    QueueRoom keep_room(bool for_accepted) {
        const bool is_full = room_taken_->fetch_add(1) >= options_.queue.capacity;
        QueueRoom room(room_taken_);
        if (is_full && !for_accepted) throw QueueFull("task queue", options_.queue.capacity);
        return room;
    }
    void submit(Job job);
    void cancel(const std::string& id, bool force);
    void stop(milliseconds grace, bool by_force);

    void handle_ready(Worker& worker) override;
    void handle_progress(Worker& worker, const std::string& id, int percent) override;
    void handle_result(Worker& worker, const std::string& id, nlohmann::json value, nlohmann::json error) override;
    void handle_end(Worker& worker, const std::string& reason) override;

    DispatcherStatus status() const {
        MutexLock lock(published_mutex_);
        DispatcherStatus status = published_;
        status.capacity = options_.queue.capacity;
        if (published_waiting_since_ && status.waiting > 0)
            status.oldest_wait = clock_.steady() - *published_waiting_since_;
        return status;
    }
    std::vector<std::string> addresses() const {
        MutexLock lock(published_mutex_);
        return published_addresses_;
    }

  private:
    /// A job from submission to its end.
    struct Entry {
        Job job;
        int attempt = 0;
        int deaths = 0;  ///< Of workers that ran it, by no doing of ours.
        Worker* worker = nullptr;
        SteadyTime last_progress;
        SteadyTime waiting_since;  ///< While no worker has it.
        std::optional<SteadyTime> deadline;
        std::optional<SteadyTime> kill_at;  ///< When the worker ends if the operation has not.
        std::string cancel_reason;          ///< Set once it was asked to stop.
        bool forced = false;                ///< `kill_at` was set once; where nothing can be ended, that is all.
        bool stalled = false;
    };
    /// A place for a worker process; stays when its worker dies.
    struct Seat {
        explicit Seat(asio::io_context& context) : restart(context) {}
        Role role = Role::shared;
        std::unique_ptr<Worker> worker;
        bool connected = false;  ///< It has its cluster handle …
        bool ready = false;      ///< … and its address is on record: it may get jobs.
        std::uint64_t life = 0;  ///< Which of the workers on this seat it is.
        SteadyTime started;
        milliseconds pause{0};
        asio::steady_timer restart;
        std::set<std::string> jobs;
        bool killed_by_us = false;
        bool dismissed = false;  ///< Ended since nobody needs it any more.
    };
    /// Jobs of a worker that is no more, which the cluster is to know before they run again.
    struct Orphans {
        std::string address;
        std::set<std::string> jobs;
        std::string reason;
        bool by_us = false;
        std::optional<SteadyTime> ask_at;  ///< Set: nobody answered, and this is when to ask again.
    };
    /// The way in for callbacks of others, which may come when the dispatcher is gone.
    struct Doorway {
        Mutex mutex;
        Impl* dispatcher TASKD_GUARDED_BY(mutex) = nullptr;
    };

    void tick();
    void pump();
    void occupy(Seat& seat);
    void open(Seat& seat);
    void open_recorded(std::uint64_t life);
    void dismiss(Seat& seat);
    void restart_later(Seat& seat);
    Seat* seat_of(const Worker& worker);
    Seat* freest_seat();
    void give(Seat& seat, const std::string& id);
    void pump_quarantine();
    void end(const std::string& id, nlohmann::json value, std::exception_ptr error);
    void end_waiting(const std::string& id, const std::string& why);
    void ask_to_stop(Entry& entry, std::string reason, bool force);
    void orphan(Seat& seat, const std::set<std::string>& jobs, const std::string& reason);
    void fence(std::uint64_t life);
    void handle_fenced(std::uint64_t life, DispatcherOptions::Fence outcome);
    void fence_again(SteadyTime now);
    void take_back(const std::string& id, const std::string& reason, bool by_us);
    void watch(Entry& entry, SteadyTime now);
    void end_by_force(Entry& entry);
    void tell_why_jobs_wait();
    std::vector<std::string> overdue(SteadyTime now) const;
    void find_longest_wait();
    void mark_stalled(Entry& entry, bool stalled);
    void update_slots();
    void publish();
    void shut_down(bool by_force);
    void begin_stop(milliseconds grace, bool by_force);

    const DispatcherOptions options_;
    const WorkerFactory factory_;
    const Clock& clock_;

    // All below belongs to the dispatcher's thread.
    JobQueue queue_;
    std::map<std::string, Entry> entries_;
    std::vector<std::unique_ptr<Seat>> seats_;
    std::map<std::uint64_t, Orphans> orphans_;  ///< By the life of their worker.
    std::deque<std::string> again_;       ///< Lost their worker by no fault of anybody: run again with the others.
    std::deque<std::string> quarantine_;  ///< Lost their worker: run again alone.
    std::size_t stalled_ = 0;
    std::uint64_t lives_ = 0;
    std::size_t deaths_ = 0;
    std::string last_end_;
    SteadyTime reasons_told_;
    std::optional<SteadyTime> waiting_since_;  ///< Of the one that waits longest, at the last tick.
    bool stopping_ = false;
    std::optional<SteadyTime> stop_at_;

    /// By jobs that wait or will, seen from the submitting threads.
    const std::shared_ptr<std::atomic<std::size_t>> room_taken_ = std::make_shared<std::atomic<std::size_t>>(0);
    mutable Mutex published_mutex_;
    DispatcherStatus published_ TASKD_GUARDED_BY(published_mutex_);
    std::optional<SteadyTime> published_waiting_since_ TASKD_GUARDED_BY(published_mutex_);
    std::vector<std::string> published_addresses_ TASKD_GUARDED_BY(published_mutex_);

    const std::shared_ptr<Doorway> doorway_ = std::make_shared<Doorway>();
    asio::io_context context_{1};
    asio::executor_work_guard<asio::io_context::executor_type> work_ = asio::make_work_guard(context_);
    asio::steady_timer ticker_{context_};
    std::thread thread_;  // last: it uses all of the above

    friend class Dispatcher;
};

}  // namespace taskd::worker
