#include "worker/dispatcher.hpp"

#include "core/thread_name.hpp"
#include "worker/dispatcher_impl.hpp"

#include <boost/asio/post.hpp>

namespace taskd::worker {

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
    asio::post(context_, [this, job = std::move(job)]() mutable {
        const std::string id = job.task->id();
        const SteadyTime now = clock_.steady();
        job.place.id = id;
        Entry entry;
        entry.job = std::move(job);
        entry.attempt = entry.job.attempts_before;
        entry.last_progress = now;
        entry.waiting_since = now;
        if (entry.job.deadline) entry.deadline = now + *entry.job.deadline;
        queue_.push(entry.job.place, now);
        entry.job.task->set_waiting_for(queue_.waits_for(id));
        entries_.emplace(id, std::move(entry));
        pump();
    });
}

void Dispatcher::Impl::tick() {
    const SteadyTime now = clock_.steady();
    for (auto& [id, entry] : entries_) watch(entry, now);
    for (const auto& id : overdue(now)) end_waiting(id, "its deadline passed");
    tell_why_jobs_wait();
    fence_again(now);
    for (const auto& seat : seats_)
        if (!seat->connected && seat->worker && now - seat->started > options_.ready_within) seat->worker->kill();
    if (stop_at_ && now >= *stop_at_) shut_down(true);
    update_slots();
    find_longest_wait();
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
    now.worker_starts = static_cast<std::size_t>(lives_);
    now.last_worker_end = last_end_;
    std::vector<std::string> addresses;
    for (const auto& seat : seats_) {
        now.running += seat->jobs.size();
        if (seat->ready) ++now.workers_ready;
        if (!seat->connected) continue;
        addresses.push_back(seat->worker->cluster_addresses());
    }
    for (const auto& [life, orphans] : orphans_) now.waiting += orphans.jobs.size();
    now.stalled = stalled_;
    MutexLock lock(published_mutex_);
    published_ = std::move(now);
    published_waiting_since_ = waiting_since_;
    published_addresses_ = std::move(addresses);
}

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

QueueRoom Dispatcher::keep_room() {
    return impl_->keep_room(false);
}

QueueRoom Dispatcher::keep_room_for_accepted() {
    return impl_->keep_room(true);
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
