#include "worker/dispatcher_impl.hpp"

#include <algorithm>

#include <boost/asio/post.hpp>
#include <spdlog/spdlog.h>

namespace taskd::worker {
namespace {

constexpr milliseconds first_restart_pause{100};
constexpr milliseconds longest_restart_pause{5'000};
/// A worker that lived this long was well; its successor starts without a pause.
constexpr milliseconds healthy_life{10'000};
/// Between a fence that nobody answered and the next try.
constexpr milliseconds fence_pause{1'000};

}  // namespace

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

Dispatcher::Impl::Seat* Dispatcher::Impl::freest_seat() {
    Seat* freest = nullptr;
    for (const auto& seat : seats_)
        if (seat->ready && seat->role == Role::shared && !seat->killed_by_us &&
            (freest == nullptr || seat->jobs.size() < freest->jobs.size()))
            freest = seat.get();
    return freest;
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
    orphan(*seat, jobs, described);

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

/// The jobs of a worker that is no more go on once the cluster knows that it is no more.
void Dispatcher::Impl::orphan(Seat& seat, const std::set<std::string>& jobs, const std::string& reason) {
    for (const auto& id : jobs) {
        entries_.at(id).worker = nullptr;
        entries_.at(id).waiting_since = clock_.steady();
    }
    const std::string address = seat.worker->cluster_addresses();
    if (!options_.fence_worker || jobs.empty() || stopping_ || address.empty()) {
        for (const auto& id : jobs) take_back(id, reason, seat.killed_by_us);
        return;
    }
    for (const auto& id : jobs) {
        queue_.release_slot(id);  // without a monitor this may take long
        entries_.at(id).job.task->set_phase(TaskPhase::queued);
        entries_.at(id).job.task->set_waiting_for("its worker, which ended, to be fenced");
    }
    orphans_[seat.life] = {address, jobs, reason, seat.killed_by_us, {}};
    fence(seat.life);
}

void Dispatcher::Impl::fence(std::uint64_t life) {
    options_.fence_worker(orphans_.at(life).address, [doorway = doorway_, life](DispatcherOptions::Fence outcome) {
        MutexLock lock(doorway->mutex);
        if (Impl* self = doorway->dispatcher)
            asio::post(self->context_, [self, life, outcome] { self->handle_fenced(life, outcome); });
    });
}

void Dispatcher::Impl::handle_fenced(std::uint64_t life, DispatcherOptions::Fence outcome) {
    const auto found = orphans_.find(life);
    if (found == orphans_.end()) return;
    if (outcome == DispatcherOptions::Fence::unanswered) {
        found->second.ask_at = clock_.steady() + fence_pause;
        return;
    }
    const Orphans orphans = std::move(found->second);
    orphans_.erase(found);
    for (const auto& id : orphans.jobs) take_back(id, orphans.reason, orphans.by_us);
    pump();
}

void Dispatcher::Impl::fence_again(SteadyTime now) {
    for (auto& [life, orphans] : orphans_) {
        if (!orphans.ask_at || now < *orphans.ask_at) continue;
        orphans.ask_at.reset();
        fence(life);
    }
}

void Dispatcher::Impl::update_slots() {
    std::size_t slots = 0;
    for (const auto& seat : seats_)
        if (seat->ready && seat->role == Role::shared) slots += options_.threads_per_worker;
    // A stalled job holds its thread but not its slot: a pool that does not answer must not use up everybody's.
    queue_.set_slots(slots + std::min(stalled_, slots * (threads_for_a_slot - 1)));
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

}  // namespace taskd::worker
