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

constexpr milliseconds first_restart_pause{100};
constexpr milliseconds longest_restart_pause{5'000};
constexpr milliseconds reasons_interval{1'000};
/// A worker that lived this long was well; its successor starts without a pause.
constexpr milliseconds healthy_life{10'000};

std::exception_ptr cancelled(const std::string& why) {
    return std::make_exception_ptr(Error(ErrorKind::cancelled, ECANCELED, "taskd", "[errno 125] " + why));
}

bool is_fenced(const nlohmann::json& error) {
    return error.is_object() && error.value("code", 0) == ESHUTDOWN;
}

/// What a cancelled operation says of what it left, and why it was cancelled.
nlohmann::json with_reason(nlohmann::json error, const std::string& reason) {
    const bool is_cancelled = error.is_object() && error.value("kind", "") == to_string(ErrorKind::cancelled);
    if (is_cancelled && !reason.empty()) error["detail"] = error.value("detail", "") + "; " + reason;
    return error;
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
    ~Impl() override {
        MutexLock lock(doorway_->mutex);
        doorway_->dispatcher = nullptr;
    }

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
        int deaths = 0;  ///< Of workers that ran it, by no doing of ours.
        Worker* worker = nullptr;
        SteadyTime last_progress;
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
    void take_back_fenced(Seat& seat, const std::set<std::string>& jobs, const std::string& reason);
    void take_back(const std::string& id, const std::string& reason, bool by_us);
    void watch(Entry& entry, SteadyTime now);
    void end_by_force(Entry& entry);
    void tell_why_jobs_wait();
    std::vector<std::string> overdue(SteadyTime now) const;
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
    std::uint64_t lives_ = 0;
    std::size_t deaths_ = 0;
    std::string last_end_;
    SteadyTime reasons_told_;
    bool stopping_ = false;
    std::optional<SteadyTime> stop_at_;

    std::atomic<std::size_t> accepted_{0};  ///< Jobs that wait, seen from the submitting threads.
    mutable Mutex published_mutex_;
    DispatcherStatus published_ TASKD_GUARDED_BY(published_mutex_);
    std::vector<std::string> published_addresses_ TASKD_GUARDED_BY(published_mutex_);

    const std::shared_ptr<Doorway> doorway_ = std::make_shared<Doorway>();
    asio::io_context context_{1};
    asio::executor_work_guard<asio::io_context::executor_type> work_ = asio::make_work_guard(context_);
    asio::steady_timer ticker_{context_};
    std::thread thread_;  // last: it uses all of the above

    friend class Dispatcher;
};

void Dispatcher::Impl::start() {
    {
        MutexLock lock(doorway_->mutex);
        doorway_->dispatcher = this;
    }
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
        Entry entry;
        entry.job = std::move(job);
        entry.attempt = entry.job.attempts_before;
        entry.last_progress = now;
        if (entry.job.deadline) entry.deadline = now + *entry.job.deadline;
        queue_.push(entry.job.place, now);
        entry.job.task->set_waiting_for(queue_.waits_for(id));
        entries_.emplace(id, std::move(entry));
        pump();
    });
}

// --- workers ---------------------------------------------------------------------------------------------------------

void Dispatcher::Impl::occupy(Seat& seat) {
    seat.life = ++lives_;
    seat.connected = false;
    seat.ready = false;
    seat.killed_by_us = false;
    seat.dismissed = false;
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
        if (error || stopping_) return;
        if (seat.role == Role::shared || !quarantine_.empty()) {
            occupy(seat);
        } else {
            std::erase_if(seats_, [&](const auto& other) { return other.get() == &seat; });
        }
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
    seat->connected = true;
    publish();
    if (!options_.record_workers) {
        open(*seat);
        return;
    }
    options_.record_workers(addresses(), [doorway = doorway_, life = seat->life] {
        MutexLock lock(doorway->mutex);
        if (Impl* self = doorway->dispatcher) asio::post(self->context_, [self, life] { self->open_recorded(life); });
    });
}

void Dispatcher::Impl::open_recorded(std::uint64_t life) {
    const auto same = [life](const auto& seat) { return seat->life == life && seat->connected; };
    if (const auto found = std::find_if(seats_.begin(), seats_.end(), same); found != seats_.end()) open(**found);
}

/// From now on the worker gets jobs.
void Dispatcher::Impl::open(Seat& seat) {
    seat.ready = true;
    update_slots();
    pump();
}

void Dispatcher::Impl::handle_end(Worker& worker, const std::string& reason) {
    Seat* seat = seat_of(worker);
    if (seat == nullptr) return;
    const bool expected = stopping_ || seat->killed_by_us || seat->dismissed;
    if (!expected) {
        ++deaths_;
        last_end_ = worker.description() + " " + reason;
        spdlog::error("{} with {} tasks in it", last_end_, seat->jobs.size());
    }
    const bool was_ready = std::exchange(seat->ready, false);
    seat->connected = false;
    const std::set<std::string> jobs = std::exchange(seat->jobs, {});
    const std::string described = worker.description() + " " + reason;
    take_back_fenced(*seat, jobs, described);

    // A quarantine worker is made for each need; one that never got so far is tried again after a pause.
    const bool is_still_wanted = seat->role == Role::shared || (!was_ready && !expected);
    if (is_still_wanted && !stopping_) {
        restart_later(*seat);
    } else {
        std::erase_if(seats_, [&](const auto& other) { return other.get() == seat; });
    }
    update_slots();
    publish();
    if (stopping_) {
        shut_down(false);
    } else {
        pump();
    }
}

/// The jobs of a worker that is no more, once the cluster knows that it is no more.
void Dispatcher::Impl::take_back_fenced(Seat& seat, const std::set<std::string>& jobs, const std::string& reason) {
    for (const auto& id : jobs) entries_.at(id).worker = nullptr;
    const std::string address = seat.worker->cluster_addresses();
    const bool by_us = seat.killed_by_us;
    if (!options_.fence_worker || jobs.empty() || stopping_ || address.empty()) {
        for (const auto& id : jobs) take_back(id, reason, by_us);
        return;
    }
    options_.fence_worker(address, [doorway = doorway_, jobs, reason, by_us] {
        MutexLock lock(doorway->mutex);
        Impl* self = doorway->dispatcher;
        if (self == nullptr) return;
        asio::post(self->context_, [self, jobs, reason, by_us] {
            for (const auto& id : jobs) self->take_back(id, reason, by_us);
            self->pump();
        });
    });
}

void Dispatcher::Impl::take_back(const std::string& id, const std::string& reason, bool by_us) {
    const auto found = entries_.find(id);
    if (found == entries_.end()) return;  // cancelled meanwhile
    Entry& entry = found->second;
    mark_stalled(entry, false);
    if (stopping_) return;  // abandoned: who journalled it runs it again
    if (!entry.cancel_reason.empty()) {
        end(id, nullptr,
            cancelled(entry.cancel_reason + "; its worker was ended while it ran, what it had done so far stays"));
        return;
    }
    if (!by_us && ++entry.deaths >= options_.most_attempts) {
        end(id, nullptr,
            std::make_exception_ptr(Error(ErrorKind::internal, 0, "taskd",
                                          "the worker died under this task " + std::to_string(entry.deaths) +
                                              " times, the last time: " + reason)));
        return;
    }
    queue_.release_slot(id);
    entry.job.task->set_phase(TaskPhase::queued);
    entry.job.task->set_waiting_for("to run again: " + reason);
    if (by_us) {
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
        ++occupied;
        if (!seat->ready) {
            starting += seat->dismissed ? 0U : 1U;
        } else if (seat->jobs.empty() && !quarantine_.empty()) {
            give(*seat, quarantine_.front());
            quarantine_.pop_front();
        } else if (seat->jobs.empty()) {
            dismiss(*seat);
        }
    }
    for (; starting < quarantine_.size() && occupied < options_.quarantine_workers; ++starting, ++occupied) {
        seats_.push_back(std::make_unique<Seat>(context_));
        seats_.back()->role = Role::quarantine;
        occupy(*seats_.back());
    }
}

void Dispatcher::Impl::dismiss(Seat& seat) {
    seat.ready = false;  // nothing is given to it between now and its end
    seat.dismissed = seat.worker->kill();
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
    if (seat == nullptr || !seat->jobs.contains(id)) return;
    if (is_fenced(error) && worker.kill()) {
        // Nothing that it does reaches the cluster any more; all its jobs go on in a new one, with a new address.
        spdlog::error("{} was fenced by the cluster: it is replaced", worker.description());
        seat->killed_by_us = true;
        return;
    }
    error = with_reason(std::move(error), entries_.at(id).cancel_reason);
    const std::exception_ptr failure = error.is_null() ? nullptr : error_from_json(error);
    seat->jobs.erase(id);
    end(id, std::move(value), failure);
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
    end_waiting(id, "cancelled");
    pump();
}

/// Ends a job that no worker has.
void Dispatcher::Impl::end_waiting(const std::string& id, const std::string& why) {
    if (queue_.remove_waiting(id)) --accepted_;
    std::erase(again_, id);
    std::erase(quarantine_, id);
    const bool ran = entries_.at(id).attempt > 0;
    end(id, nullptr,
        cancelled(why + (ran ? " while it waited to run again; what it had done so far stays" : " before it ran")));
}

void Dispatcher::Impl::ask_to_stop(Entry& entry, std::string reason, bool force) {
    if (force && !std::exchange(entry.forced, true)) entry.kill_at = clock_.steady() + options_.cancel_grace;
    if (!entry.cancel_reason.empty()) return;
    entry.cancel_reason = std::move(reason);
    entry.worker->cancel(entry.job.task->id());
}

void Dispatcher::Impl::watch(Entry& entry, SteadyTime now) {
    if (entry.worker == nullptr) return;
    if (now - entry.last_progress >= options_.stall_after) mark_stalled(entry, true);
    if (entry.deadline && now >= *entry.deadline) ask_to_stop(entry, "its deadline passed", true);
    if (entry.kill_at && now >= *entry.kill_at) end_by_force(entry);
}

void Dispatcher::Impl::end_by_force(Entry& entry) {
    entry.kill_at.reset();
    Seat* seat = seat_of(*entry.worker);
    if (seat == nullptr || seat->killed_by_us) return;
    seat->killed_by_us = entry.worker->kill();
    spdlog::warn("task {}: {} {}: {}", entry.job.task->id(), entry.worker->description(),
                 seat->killed_by_us ? "is ended by force" : "cannot be ended by force", entry.cancel_reason);
}

/// Now and then, as what a job waits for changes with the ends of others.
void Dispatcher::Impl::tell_why_jobs_wait() {
    const SteadyTime now = clock_.steady();
    if (now - reasons_told_ < reasons_interval) return;
    reasons_told_ = now;
    for (const auto& [id, entry] : entries_)
        if (auto reason = queue_.waits_for(id); !reason.empty()) entry.job.task->set_waiting_for(std::move(reason));
}

std::vector<std::string> Dispatcher::Impl::overdue(SteadyTime now) const {
    std::vector<std::string> ids;
    for (const auto& [id, entry] : entries_)
        if (entry.worker == nullptr && entry.deadline && now >= *entry.deadline) ids.push_back(id);
    return ids;
}

void Dispatcher::Impl::tick() {
    const SteadyTime now = clock_.steady();
    for (auto& [id, entry] : entries_) watch(entry, now);
    for (const auto& id : overdue(now)) end_waiting(id, "its deadline passed");
    tell_why_jobs_wait();
    for (const auto& seat : seats_)
        if (!seat->connected && seat->worker && now - seat->started > options_.ready_within) seat->worker->kill();
    if (stop_at_ && now >= *stop_at_) shut_down(true);
    update_slots();
    pump();
    ticker_.expires_after(options_.tick);
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
        if (seat->ready) ++now.workers_ready;
        if (!seat->connected) continue;
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
            if (!one.killed_by_us) {
                // Threads of this process: they are asked to stop and waited for.
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
