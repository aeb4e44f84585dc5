#include "worker/dispatcher.hpp"

#include "core/mutex.hpp"
#include "core/thread_name.hpp"

#include <algorithm>
#include <atomic>
#include <deque>
#include <map>
#include <set>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <spdlog/spdlog.h>
#include <taskd/error.hpp>

namespace taskd::worker {

namespace asio = boost::asio;
using std::chrono::milliseconds;

namespace {

constexpr milliseconds tick_interval{250};
constexpr milliseconds first_restart_pause{100};
constexpr milliseconds longest_restart_pause{5'000};
/// A worker that lived this long was well; its successor starts without a pause.
constexpr milliseconds healthy_life{10'000};

std::exception_ptr cancelled(const std::string& why) {
    return std::make_exception_ptr(Error(ErrorKind::cancelled, ECANCELED, "taskd", "[errno 125] " + why));
}

}  // namespace

class Dispatcher::Impl final : public WorkerEvents {
  public:
    Impl(DispatcherOptions options, WorkerFactory factory, const Clock& clock)
        : options_(std::move(options)), factory_(std::move(factory)), clock_(clock), queue_([&] {
              QueueLimits limits = options_.queue;
              limits.slots = 0;  // until a worker is ready
              return limits;
          }()) {}

    void start();
    void require_room() const {
        if (accepted_ >= options_.queue.capacity) throw QueueFull("task queue", options_.queue.capacity);
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
        return published_;
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
        Worker* worker = nullptr;
        SteadyTime last_progress;
        std::optional<SteadyTime> deadline;
        std::optional<SteadyTime> kill_at;  ///< When the worker ends if the operation has not.
        std::string cancel_reason;          ///< Set once it was asked to stop.
        bool stalled = false;
    };
    /// A place for a worker process; stays when its worker dies.
    struct Seat {
        explicit Seat(asio::io_context& context) : restart(context) {}
        Role role = Role::shared;
        std::unique_ptr<Worker> worker;
        bool ready = false;
        SteadyTime started;
        milliseconds pause{0};
        asio::steady_timer restart;
        std::set<std::string> jobs;
        bool killed_by_us = false;
    };

    void tick();
    void pump();
    void occupy(Seat& seat);
    void restart_later(Seat& seat);
    Seat* seat_of(const Worker& worker);
    Seat* freest_seat();
    void give(Seat& seat, const std::string& id);
    void pump_quarantine();
    void end(const std::string& id, nlohmann::json value, std::exception_ptr error);
    void ask_to_stop(Entry& entry, std::string reason, bool force);
    void take_back(Seat& seat, const std::string& id, const std::string& reason);
    void watch(Entry& entry, SteadyTime now);
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
    std::deque<std::string> again_;       ///< Lost their worker by no fault of anybody: run again with the others.
    std::deque<std::string> quarantine_;  ///< Lost their worker: run again alone.
    std::size_t stalled_ = 0;
    std::size_t deaths_ = 0;
    std::string last_end_;
    bool stopping_ = false;
    std::optional<SteadyTime> stop_at_;

    std::atomic<std::size_t> accepted_{0};  ///< Jobs that wait, seen from the submitting threads.
    mutable Mutex published_mutex_;
    DispatcherStatus published_ TASKD_GUARDED_BY(published_mutex_);
    std::vector<std::string> published_addresses_ TASKD_GUARDED_BY(published_mutex_);

    asio::io_context context_{1};
    asio::executor_work_guard<asio::io_context::executor_type> work_ = asio::make_work_guard(context_);
    asio::steady_timer ticker_{context_};
    std::thread thread_;  // last: it uses all of the above

    friend class Dispatcher;
};

void Dispatcher::Impl::start() {
    thread_ = std::thread([this] {
        name_this_thread("taskd-workers");
        for (std::size_t n = 0; n < options_.workers; ++n) {
            seats_.push_back(std::make_unique<Seat>(context_));
            occupy(*seats_.back());
        }
        tick();
        context_.run();
    });
}

void Dispatcher::Impl::submit(Job job) {
    if (accepted_.fetch_add(1) >= options_.queue.capacity) {
        --accepted_;
        throw QueueFull("task queue", options_.queue.capacity);
    }
    asio::post(context_, [this, job = std::move(job)]() mutable {
        const std::string id = job.task->id();
        const SteadyTime now = clock_.steady();
        job.place.id = id;
        Entry entry{std::move(job), 0, nullptr, now, std::nullopt, std::nullopt, {}, false};
        entry.attempt = entry.job.attempts_before;
        if (entry.job.deadline) entry.deadline = now + *entry.job.deadline;
        queue_.push(entry.job.place, now);
        entries_.emplace(id, std::move(entry));
        pump();
    });
}

// --- workers ---------------------------------------------------------------------------------------------------------

void Dispatcher::Impl::occupy(Seat& seat) {
    seat.ready = false;
    seat.killed_by_us = false;
    seat.started = clock_.steady();
    try {
        seat.worker = factory_(seat.role, context_, *this);
    } catch (...) {
        last_end_ = error_text(std::current_exception());
        spdlog::error("cannot start a worker: {}", last_end_);
        restart_later(seat);
    }
}

void Dispatcher::Impl::restart_later(Seat& seat) {
    const bool was_well = seat.worker != nullptr && clock_.steady() - seat.started > healthy_life;
    const milliseconds pause = was_well ? milliseconds(0) : seat.pause;
    seat.pause = was_well ? milliseconds(0) : std::clamp(seat.pause * 2, first_restart_pause, longest_restart_pause);
    seat.worker.reset();
    seat.restart.expires_after(pause);
    seat.restart.async_wait([this, &seat](const boost::system::error_code& error) {
        if (!error && !stopping_) occupy(seat);
    });
}

Dispatcher::Impl::Seat* Dispatcher::Impl::seat_of(const Worker& worker) {
    for (const auto& seat : seats_)
        if (seat->worker.get() == &worker) return seat.get();
    return nullptr;
}

void Dispatcher::Impl::handle_ready(Worker& worker) {
    Seat* seat = seat_of(worker);
    if (seat == nullptr) return;
    spdlog::info("{} is ready ({})", worker.description(), worker.cluster_addresses());
    seat->ready = true;
    update_slots();
    publish();
    if (options_.on_workers_changed) options_.on_workers_changed();
    pump();
}

void Dispatcher::Impl::handle_end(Worker& worker, const std::string& reason) {
    Seat* seat = seat_of(worker);
    if (seat == nullptr) return;
    const bool expected = stopping_ || seat->killed_by_us || (seat->role == Role::quarantine && seat->jobs.empty());
    if (!expected) {
        ++deaths_;
        last_end_ = worker.description() + " " + reason;
        spdlog::error("{} with {} tasks in it", last_end_, seat->jobs.size());
    }
    const bool was_ready = std::exchange(seat->ready, false);
    const std::set<std::string> jobs = std::exchange(seat->jobs, {});
    const std::string described = worker.description() + " " + reason;
    for (const auto& id : jobs) take_back(*seat, id, described);

    const bool is_still_wanted = seat->role == Role::shared || (!was_ready && !expected);
    if (is_still_wanted && !stopping_) {
        restart_later(*seat);
    } else {
        std::erase_if(seats_, [&](const auto& other) { return other.get() == seat; });
    }
    update_slots();
    publish();
    if (options_.on_workers_changed) options_.on_workers_changed();
    if (stopping_) {
        shut_down(false);
    } else {
        pump();
    }
}

void Dispatcher::Impl::take_back(Seat& seat, const std::string& id, const std::string& reason) {
    Entry& entry = entries_.at(id);
    entry.worker = nullptr;
    mark_stalled(entry, false);
    if (stopping_) return;  // abandoned: who journalled it runs it again
    if (!entry.cancel_reason.empty()) {
        end(id, nullptr,
            cancelled(entry.cancel_reason + "; its worker was ended while it ran, what it had done so far stays"));
        return;
    }
    if (entry.attempt >= options_.most_attempts && !seat.killed_by_us) {
        end(id, nullptr,
            std::make_exception_ptr(Error(ErrorKind::internal, 0, "taskd",
                                          "the worker died under this task " + std::to_string(entry.attempt) +
                                              " times, the last time: " + reason)));
        return;
    }
    queue_.release_slot(id);
    entry.job.task->set_phase(TaskPhase::queued);
    entry.job.task->set_waiting_for("to run again: " + reason);
    if (seat.killed_by_us) {
        --entry.attempt;
        again_.push_back(id);
    } else {
        quarantine_.push_back(id);
    }
}

void Dispatcher::Impl::update_slots() {
    std::size_t slots = 0;
    for (const auto& seat : seats_)
        if (seat->ready && seat->role == Role::shared) slots += options_.threads_per_worker;
    // A stalled job holds its thread but not its slot: a pool that does not answer must not use up everybody's.
    queue_.set_slots(slots + std::min(stalled_, slots * (threads_for_a_slot - 1)));
}

// --- jobs ------------------------------------------------------------------------------------------------------------

Dispatcher::Impl::Seat* Dispatcher::Impl::freest_seat() {
    Seat* freest = nullptr;
    for (const auto& seat : seats_)
        if (seat->ready && seat->role == Role::shared && !seat->killed_by_us &&
            (freest == nullptr || seat->jobs.size() < freest->jobs.size()))
            freest = seat.get();
    return freest;
}

void Dispatcher::Impl::give(Seat& seat, const std::string& id) {
    Entry& entry = entries_.at(id);
    entry.worker = seat.worker.get();
    ++entry.attempt;
    entry.last_progress = clock_.steady();
    seat.jobs.insert(id);
    entry.job.task->set_phase(TaskPhase::running);
    seat.worker->run({id, entry.job.operation, entry.job.arguments, entry.attempt});
}

void Dispatcher::Impl::pump() {
    if (stopping_) return;
    pump_quarantine();
    while (Seat* seat = freest_seat()) {
        if (!again_.empty()) {
            give(*seat, again_.front());
            again_.pop_front();
            continue;
        }
        const auto id = queue_.next(clock_.steady());
        if (!id) break;
        --accepted_;
        give(*seat, *id);
    }
    publish();
}

void Dispatcher::Impl::pump_quarantine() {
    std::size_t occupied = 0;
    std::size_t starting = 0;
    for (const auto& seat : seats_) {
        if (seat->role != Role::quarantine) continue;
        starting += seat->ready ? 0U : 1U;
        if (seat->ready && seat->jobs.empty() && !quarantine_.empty()) {
            give(*seat, quarantine_.front());
            quarantine_.pop_front();
        }
        ++occupied;
    }
    for (; starting < quarantine_.size() && occupied < options_.quarantine_workers; ++starting, ++occupied) {
        seats_.push_back(std::make_unique<Seat>(context_));
        seats_.back()->role = Role::quarantine;
        occupy(*seats_.back());
    }
}

void Dispatcher::Impl::handle_progress(Worker& /*worker*/, const std::string& id, int percent) {
    const auto found = entries_.find(id);
    if (found == entries_.end()) return;
    Entry& entry = found->second;
    entry.last_progress = clock_.steady();
    // A repeated attempt counts from the start; what people saw never goes back.
    if (percent > entry.job.task->progress()) entry.job.task->set_progress(std::clamp(percent, 0, 100));
    mark_stalled(entry, false);
}

void Dispatcher::Impl::mark_stalled(Entry& entry, bool stalled) {
    if (entry.stalled == stalled) return;
    entry.stalled = stalled;
    stalled_ += stalled ? 1 : -1;
    entry.job.task->set_stalled(stalled);
    entry.job.task->set_waiting_for(stalled ? "the cluster: no progress reported" : "");
    update_slots();
}

void Dispatcher::Impl::handle_result(Worker& worker, const std::string& id, nlohmann::json value,
                                     nlohmann::json error) {
    Seat* seat = seat_of(worker);
    if (seat == nullptr || seat->jobs.erase(id) == 0) return;
    end(id, std::move(value), error.is_null() ? nullptr : error_from_json(error));
    if (seat->role == Role::quarantine && quarantine_.empty() && !stopping_) {
        seat->ready = false;  // nothing is given to it between now and its end
        worker.kill();
    }
    if (stopping_) {
        shut_down(false);
    } else {
        pump();
    }
}

void Dispatcher::Impl::end(const std::string& id, nlohmann::json value, std::exception_ptr error) {
    const auto found = entries_.find(id);
    mark_stalled(found->second, false);
    const Entry entry = std::move(found->second);
    entries_.erase(found);
    queue_.done(id);
    entry.job.on_end(std::move(value), std::move(error));
}

void Dispatcher::Impl::cancel(const std::string& id, bool force) {
    const auto found = entries_.find(id);
    if (found == entries_.end()) return;
    if (found->second.worker != nullptr) {
        ask_to_stop(found->second, "cancelled on request", force);
        return;
    }
    if (queue_.remove_waiting(id)) --accepted_;
    std::erase(again_, id);
    std::erase(quarantine_, id);
    end(id, nullptr, cancelled("cancelled before it ran"));
    pump();
}

void Dispatcher::Impl::ask_to_stop(Entry& entry, std::string reason, bool force) {
    if (entry.cancel_reason.empty()) {
        entry.cancel_reason = std::move(reason);
        entry.worker->cancel(entry.job.task->id());
    }
    if (force && !entry.kill_at) entry.kill_at = clock_.steady() + options_.cancel_grace;
}

void Dispatcher::Impl::watch(Entry& entry, SteadyTime now) {
    if (entry.worker == nullptr) return;
    if (now - entry.last_progress >= options_.stall_after) mark_stalled(entry, true);
    if (entry.deadline && now >= *entry.deadline) ask_to_stop(entry, "its deadline passed", true);
    if (entry.kill_at && now >= *entry.kill_at) {
        entry.kill_at.reset();
        if (Seat* seat = seat_of(*entry.worker); seat != nullptr && !seat->killed_by_us) {
            seat->killed_by_us = entry.worker->kill();
            spdlog::warn("task {}: {} is ended by force: {}", entry.job.task->id(), entry.worker->description(),
                         entry.cancel_reason);
        }
    }
}

void Dispatcher::Impl::tick() {
    const SteadyTime now = clock_.steady();
    std::vector<std::string> overdue;
    for (auto& [id, entry] : entries_) {
        watch(entry, now);
        if (entry.worker == nullptr && entry.deadline && now >= *entry.deadline) overdue.push_back(id);
    }
    for (const auto& id : overdue) {
        if (queue_.remove_waiting(id)) --accepted_;
        std::erase(again_, id);
        std::erase(quarantine_, id);
        end(id, nullptr, cancelled("its deadline passed before it ran"));
    }
    for (const auto& seat : seats_)
        if (!seat->ready && seat->worker && now - seat->started > options_.ready_within) seat->worker->kill();
    if (stop_at_ && now >= *stop_at_) shut_down(true);
    update_slots();
    pump();
    ticker_.expires_after(tick_interval);
    ticker_.async_wait([this](const boost::system::error_code& error) {
        if (!error) tick();
    });
}

void Dispatcher::Impl::publish() {
    DispatcherStatus now;
    now.waiting = queue_.waiting() + again_.size() + quarantine_.size();
    now.worker_deaths = deaths_;
    now.last_worker_end = last_end_;
    std::vector<std::string> addresses;
    for (const auto& seat : seats_) {
        now.running += seat->jobs.size();
        if (!seat->ready) continue;
        ++now.workers_ready;
        addresses.push_back(seat->worker->cluster_addresses());
    }
    now.stalled = stalled_;
    MutexLock lock(published_mutex_);
    published_ = std::move(now);
    published_addresses_ = std::move(addresses);
}

// --- the end ---------------------------------------------------------------------------------------------------------

void Dispatcher::Impl::begin_stop(milliseconds grace, bool by_force) {
    stopping_ = true;
    stop_at_ = clock_.steady() + grace;
    shut_down(by_force);
}

/// Ends what can be ended now: called again whenever a job or a worker has ended, until nothing is left.
void Dispatcher::Impl::shut_down(bool by_force) {
    for (auto seat = seats_.begin(); seat != seats_.end();) {
        Seat& one = **seat;
        const bool is_idle = one.jobs.empty();
        if (one.worker == nullptr) {
            one.restart.cancel();
            seat = seats_.erase(seat);
            continue;
        }
        if ((is_idle || by_force) && !one.killed_by_us) {
            one.killed_by_us = one.worker->kill();
            if (!one.killed_by_us && is_idle) {
                seat = seats_.erase(seat);
                continue;
            }
        }
        ++seat;
    }
    if (!seats_.empty() || context_.stopped()) return;
    stop_at_.reset();
    ticker_.cancel();
    work_.reset();
    context_.stop();
}

void Dispatcher::Impl::stop(milliseconds grace, bool by_force) {
    if (!thread_.joinable()) return;
    asio::post(context_, [this, grace, by_force] { begin_stop(grace, by_force); });
    thread_.join();
}

Dispatcher::Dispatcher(DispatcherOptions options, WorkerFactory factory, const Clock& clock)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(factory), clock)) {
    impl_->start();
}

Dispatcher::~Dispatcher() {
    impl_->stop(milliseconds(0), true);
}

void Dispatcher::require_room() const {
    impl_->require_room();
}

void Dispatcher::submit(Job job) {
    impl_->submit(std::move(job));
}

void Dispatcher::cancel(std::string task_id, bool force) {
    asio::post(impl_->context_, [impl = impl_.get(), id = std::move(task_id), force] { impl->cancel(id, force); });
}

void Dispatcher::stop(milliseconds grace) {
    impl_->stop(grace, false);
}
void Dispatcher::stop_now() {
    impl_->stop(milliseconds(0), true);
}
DispatcherStatus Dispatcher::status() const {
    return impl_->status();
}
std::vector<std::string> Dispatcher::worker_addresses() const {
    return impl_->addresses();
}

}  // namespace taskd::worker
