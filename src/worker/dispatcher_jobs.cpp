#include "core/whole_number.hpp"
#include "worker/dispatcher_impl.hpp"

#include <algorithm>
#include <cerrno>

#include <spdlog/spdlog.h>

namespace taskd::worker {
namespace {

constexpr milliseconds reasons_interval{1'000};

std::exception_ptr cancelled(const std::string& why) {
    return std::make_exception_ptr(Error(ErrorKind::cancelled, ECANCELED, "taskd", "[errno 125] " + why));
}

bool is_fenced(const nlohmann::json& error) {
    return error.is_object() && error.contains("code") && whole_number(error["code"]) == ESHUTDOWN;
}

/// What a cancelled operation says of what it left, and why it was cancelled.
nlohmann::json with_reason(nlohmann::json error, const std::string& reason) {
    const bool is_cancelled = error.is_object() && error.value("kind", "") == to_string(ErrorKind::cancelled);
    if (is_cancelled && !reason.empty()) error["detail"] = error.value("detail", "") + "; " + reason;
    return error;
}

}  // namespace

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
        entries_.at(*id).job.room.give_back();
        give(*seat, *id);
    }
    publish();
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
    entry.job.task->set_waiting_for(stalled ? "pool " + entry.job.place.pool + ": no progress reported" : "");
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

void Dispatcher::Impl::take_back(const std::string& id, const std::string& reason, bool by_us) {
    const auto found = entries_.find(id);
    if (found == entries_.end()) return;  // cancelled meanwhile
    Entry& entry = found->second;
    mark_stalled(entry, false);
    if (stopping_) return;  // abandoned: who journalled it runs it again
    if (!entry.cancel_reason.empty()) {
        end(id, nullptr,
            cancelled(entry.cancel_reason + "; its worker was ended while it ran: " + entry.job.left_behind));
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
    if (queue_.remove_waiting(id)) entries_.at(id).job.room.give_back();
    std::erase(again_, id);
    std::erase(quarantine_, id);
    const bool ran = entries_.at(id).attempt > 0;
    const std::string left_behind = entries_.at(id).job.left_behind;
    end(id, nullptr, cancelled(why + (ran ? " while it waited to run again: " + left_behind : " before it ran")));
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

/// Now and then, as what a job waits for, and how many are before it, changes with the ends of others.
void Dispatcher::Impl::tell_why_jobs_wait() {
    const SteadyTime now = clock_.steady();
    if (now - reasons_told_ < reasons_interval) return;
    reasons_told_ = now;
    for (const auto& [id, entry] : entries_)
        if (auto reason = queue_.waits_for(id); !reason.empty()) entry.job.task->set_waiting_for(std::move(reason));
    for (const auto& turn : queue_.turns(now)) entries_.at(*turn.id).job.task->set_queue_position(turn.position);
}

void Dispatcher::Impl::find_longest_wait() {
    waiting_since_.reset();
    for (const auto& [id, entry] : entries_)
        if (entry.worker == nullptr && (!waiting_since_ || entry.waiting_since < *waiting_since_))
            waiting_since_ = entry.waiting_since;
}

std::vector<std::string> Dispatcher::Impl::overdue(SteadyTime now) const {
    std::vector<std::string> ids;
    for (const auto& [id, entry] : entries_)
        if (entry.worker == nullptr && entry.deadline && now >= *entry.deadline) ids.push_back(id);
    return ids;
}

}  // namespace taskd::worker
