#include "core/task_impl.hpp"
#include "core/task_registry.hpp"

#include <algorithm>
#include <future>
#include <stdexcept>

#include <spdlog/spdlog.h>
#include <taskd/error.hpp>
#include <taskd/executor.hpp>
#include <taskd/task.hpp>
#include <taskd/task_manager.hpp>

namespace taskd {
namespace {

/// In bytes, of a finished task and of an executing one: a thousand of the first are listed at most, of the others
/// there may be a hundred thousand.
constexpr std::size_t longest_kept_text = 16 * 1024;
constexpr std::size_t longest_kept_head = 1024;

std::string to_text(const nlohmann::json& value) {
    return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

std::string_view to_string(TaskPhase phase) noexcept {
    switch (phase) {
        case TaskPhase::queued:
            return "queued";
        case TaskPhase::running:
            return "running";
        case TaskPhase::finished:
            return "finished";
    }
    return "queued";
}

Task::Task(const Access& /*access*/, Impl& impl) : impl_(&impl) {}
Task::~Task() = default;

const std::string& Task::id() const noexcept {
    return impl_->id;
}
const std::string& Task::name() const noexcept {
    return impl_->name;
}
const nlohmann::json& Task::metadata() const noexcept {
    return impl_->metadata;
}
const nlohmann::json& Task::arguments() const noexcept {
    return impl_->arguments;
}
const std::string& Task::owner() const noexcept {
    return impl_->owner;
}
bool Task::is_accepted() const noexcept {
    return impl_->accepted.load(std::memory_order_acquire);
}

void Task::set_accepted() {
    Impl::Waiters waiters;
    {
        MutexLock lock(impl_->mutex);
        impl_->accepted.store(true, std::memory_order_release);
        const auto first = std::stable_partition(impl_->waiters.begin(), impl_->waiters.end(),
                                                 [](const Impl::Waiter& waiter) { return !waiter.until_accepted; });
        waiters.assign(std::make_move_iterator(first), std::make_move_iterator(impl_->waiters.end()));
        impl_->waiters.erase(first, impl_->waiters.end());
    }
    impl_->tell_change(*this);
    impl_->call(waiters);
}

void Task::Impl::note_change(Task& task) const {
    if (registry) registry->changes().note(task);
}

void Task::Impl::call(const Waiters& called) const {
    for (const auto& waiter : called) {
        try {
            waiter.callback();
        } catch (...) {
            // The others wait as well.
            spdlog::error("task {} ({}): a waiter threw: {}", id, name, error_text(std::current_exception()));
        }
    }
}

bool Task::is_finished() const noexcept {
    return impl_->finished.load(std::memory_order_acquire);
}
int Task::progress() const noexcept {
    return is_finished() ? impl_->end_progress : impl_->progress.load(std::memory_order_relaxed);
}

WaitResult Task::wait(std::optional<std::chrono::nanoseconds> timeout) const {
    constexpr std::chrono::nanoseconds longest = std::chrono::hours(24 * 365);  // more would overflow a deadline
    const auto ended = std::make_shared<std::promise<void>>();  // shared: the call may end after we gave up
    const auto end = ended->get_future();
    if (const WaiterId waiter = on_finished([ended] { ended->set_value(); })) {
        if (!timeout) {
            end.wait();
        } else if (end.wait_for(std::min(*timeout, longest)) == std::future_status::timeout) {
            forget(waiter);
            return {VALUE_EXECUTING, nullptr};
        }
    }
    if (impl_->error) std::rethrow_exception(impl_->error);
    return {VALUE_DONE, impl_->ret_value};
}

Task::WaiterId Task::on_finished(std::function<void()> callback) const {
    MutexLock lock(impl_->mutex);
    if (impl_->released) return 0;
    impl_->waiters.push_back({++impl_->last_waiter, std::move(callback)});
    return impl_->last_waiter;
}

Task::WaiterId Task::on_accepted(std::function<void()> callback) const {
    MutexLock lock(impl_->mutex);
    if (impl_->released || is_accepted()) return 0;
    impl_->waiters.push_back({++impl_->last_waiter, std::move(callback), true});
    return impl_->last_waiter;
}

void Task::forget(WaiterId waiter) const {
    std::function<void()> forgotten;  // destroyed after the lock: what it captured is the caller's code
    MutexLock lock(impl_->mutex);
    const auto same = [&](const Impl::Waiter& known) { return known.id == waiter; };
    const auto found = std::find_if(impl_->waiters.begin(), impl_->waiters.end(), same);
    if (found == impl_->waiters.end()) return;
    forgotten.swap(found->callback);
    impl_->waiters.erase(found);
}

TaskStatus Task::status() const {
    TaskStatus status;
    status.begin_time = impl_->begin_time;
    status.duration_s = impl_->duration_s();
    status.progress = progress();
    const bool finished = is_finished();
    if (finished) status.end_time = impl_->end_time;
    MutexLock lock(impl_->mutex);
    status.phase = finished ? TaskPhase::finished : impl_->phase;
    status.started_at = impl_->started_at;
    status.attempts = impl_->attempts;
    if (!finished) {
        status.stalled_since = impl_->stalled_since;
        status.waiting_for = impl_->waiting_for;
        status.queue_position = impl_->queue_position;
    }
    return status;
}

std::exception_ptr Task::failure() const {
    return is_finished() ? impl_->error : nullptr;
}
nlohmann::json Task::ret_value() const {
    return is_finished() ? impl_->ret_value : nlohmann::json();
}
nlohmann::json Task::exception_json() const {
    return is_finished() ? impl_->exception : nlohmann::json();
}

void Task::set_progress(int percent) {
    if (percent < 0 || percent > 100)
        throw std::invalid_argument("progress must be 0 to 100, not " + std::to_string(percent));
    if (is_finished()) return;
    if (impl_->progress.exchange(percent, std::memory_order_relaxed) != percent) impl_->tell_change(*this);
}

void Task::inc_progress(int delta) {
    if (delta < 0) throw std::invalid_argument("progress cannot grow by " + std::to_string(delta));
    int seen = impl_->progress.load(std::memory_order_relaxed);
    int grown = 0;
    do {
        if (is_finished()) return;
        grown = delta > 100 - seen ? 100 : seen + delta;
    } while (!impl_->progress.compare_exchange_weak(seen, grown, std::memory_order_relaxed));
    if (grown != seen) impl_->tell_change(*this);
}

void Task::set_phase(TaskPhase phase) {
    if (phase == TaskPhase::finished || is_finished()) return;
    const WallTime now = impl_->clock->wall();
    const SteadyTime steady = impl_->clock->steady();
    bool is_first_start = false;
    {
        MutexLock lock(impl_->mutex);
        if (phase == TaskPhase::running && impl_->phase != TaskPhase::running) {
            is_first_start = ++impl_->attempts == 1;
            if (!impl_->started_at) {
                impl_->started_at = now;
                impl_->started_steady = steady;
            }
            impl_->waiting_for.clear();
        }
        impl_->stalled_since.reset();
        impl_->queue_position = impl_->told_queue_position = 0;
        impl_->phase = phase;
    }
    impl_->tell_change(*this);
    if (is_first_start && impl_->observer != nullptr)
        impl_->observer->handle_start(*this, steady - impl_->begin_steady);
}

void Task::set_waiting_for(std::string reason) {
    {
        MutexLock lock(impl_->mutex);
        // Said again and again by who looks at all that wait.
        if (impl_->waiting_for == reason) return;
        impl_->waiting_for = std::move(reason);
    }
    impl_->tell_change(*this);
}

void Task::set_queue_position(std::size_t position) {
    constexpr std::size_t told_each = 10;
    {
        MutexLock lock(impl_->mutex);
        if (impl_->queue_position == position) return;
        impl_->queue_position = position;
        const auto told = impl_->told_queue_position;
        const bool is_near_what_was_told = position > told / 2 && position < 2 * told;
        if (position > told_each && told > told_each && is_near_what_was_told) return;
        impl_->told_queue_position = position;
    }
    impl_->tell_change(*this);
}

void Task::set_stalled(bool stalled) {
    const WallTime now = impl_->clock->wall();
    {
        MutexLock lock(impl_->mutex);
        if (stalled == impl_->stalled_since.has_value()) return;
        if (stalled)
            impl_->stalled_since = now;
        else
            impl_->stalled_since.reset();
    }
    impl_->tell_change(*this);
}

nlohmann::json Task::bound() const {
    MutexLock lock(impl_->mutex);
    return impl_->bound;
}

void Task::set_bound(nlohmann::json bound) {
    MutexLock lock(impl_->mutex);
    impl_->bound = std::move(bound);
}

void Task::cancel(bool force) {
    if (!is_finished()) impl_->executor->cancel(force);
}

nlohmann::json Task::executing_json() const {
    return {{"name", impl_->name},
            {"metadata", impl_->metadata},
            {"begin_time", format_utc(impl_->begin_time)},
            {"progress", progress()}};
}

nlohmann::json Task::finished_json() const {
    if (!is_finished()) throw std::logic_error("task " + impl_->id + " has not finished");
    if (!impl_->restored_view.is_null()) return impl_->restored_view;
    const bool success = impl_->error == nullptr;
    return {{"name", impl_->name},
            {"metadata", impl_->metadata},
            {"begin_time", format_utc(impl_->begin_time)},
            {"end_time", format_utc(impl_->end_time)},
            {"duration", impl_->duration_s()},
            {"progress", progress()},
            {"success", success},
            {"ret_value", success ? impl_->listed_ret_value.value_or(impl_->ret_value) : nlohmann::json()},
            {"exception", impl_->exception}};
}

std::shared_ptr<const std::string> Task::finished_text() const {
    {
        MutexLock lock(impl_->mutex);
        if (impl_->finished_text) return impl_->finished_text;
    }
    auto text = std::make_shared<const std::string>(to_text(finished_json()));
    MutexLock lock(impl_->mutex);
    impl_->executing_head.reset();
    if (text->size() <= longest_kept_text) impl_->finished_text = text;
    return text;
}

std::string Task::executing_text() const {
    std::string text;
    append_executing_text(text);
    return text;
}

void Task::append_executing_text(std::string& text) const {
    std::shared_ptr<const std::string> head;
    {
        MutexLock lock(impl_->mutex);
        head = impl_->executing_head;
    }
    if (!head) {
        head = std::make_shared<const std::string>(R"({"begin_time":")" + format_utc(impl_->begin_time) +
                                                   R"(","metadata":)" + to_text(impl_->metadata) + R"(,"name":)" +
                                                   to_text(impl_->name) + R"(,"progress":)");
        if (head->size() <= longest_kept_head && !is_finished()) {
            MutexLock lock(impl_->mutex);
            impl_->executing_head = head;
        }
    }
    text.append(*head).append(std::to_string(progress())).push_back('}');
}

}  // namespace taskd
