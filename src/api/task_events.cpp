#include "api/task_events.hpp"

#include "api/rights.hpp"
#include "api/task_response.hpp"
#include "api/task_view.hpp"
#include "core/task_id.hpp"
#include "core/thread_name.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include <nlohmann/json.hpp>

namespace taskd::api {
namespace {

using Moment = std::chrono::steady_clock::time_point;

/// A piece is not made longer than this, so that a viewer far behind costs little memory.
constexpr std::size_t piece_bytes = 64 * 1024;
/// What tells of one task is no larger; beyond, viewers are told to read the list.
constexpr std::size_t most_event_bytes = 256 * 1024;
/// How long a browser waits before it comes back.
constexpr std::string_view first_words = "retry: 2000\n\n";

void append_event(std::string& piece, const std::string& id, std::string_view kind, std::string_view data) {
    piece.append("id: ").append(id).append("\nevent: ").append(kind).append("\ndata: ").append(data).append("\n\n");
}

}  // namespace

/// One client's place in the log, and when it was told something.
class TaskEvents::Viewer final : public http::BodyStream {
  public:
    Viewer(TaskEvents& events, std::optional<EventLog::Place> place, Caller caller)
        : events_(events), caller_(std::move(caller)), place_(place) {
        const MutexLock lock(events_.mutex_);
        if (!std::exchange(events_.gathers_, true)) {
            // What happened before is not in the log.
            events_.log_.break_off();
            events_.tasks_.changes().start();
        }
        entry_ = events_.viewers_.insert(events_.viewers_.end(), this);
        events_.wake_.notify_all();
    }
    ~Viewer() override {
        const MutexLock lock(events_.mutex_);
        events_.viewers_.erase(entry_);
        if (events_.viewers_.empty()) events_.left_at_ = std::chrono::steady_clock::now();
    }

    bool next(std::string& piece) override {
        const auto now = std::chrono::steady_clock::now();
        if (!may_go_on(now)) return false;
        {
            const MutexLock lock(events_.mutex_);
            if (events_.is_closed_) return false;
            if (!spoke_at_) piece = first_words;
            append_news(events_.log_, piece);
            if (piece.empty() && now >= due()) {
                // With its place, so that a viewer who was shown nothing for long can be told what it missed.
                piece.append(": nothing new\nid: ").append(events_.id_of(*place_)).append("\n\n");
            }
        }
        if (!piece.empty()) spoke_at_ = now;
        return true;
    }

    bool on_more(std::function<void()> wake) override {
        const MutexLock lock(events_.mutex_);
        if (events_.is_closed_ || place_ != events_.log_.newest()) return false;
        on_news_ = std::move(wake);
        return true;
    }

    std::chrono::milliseconds patience() const override {
        const auto rest = due() - std::chrono::steady_clock::now();
        // At least a little: the clock that wakes may be ahead of this one.
        return std::max(std::chrono::duration_cast<std::chrono::milliseconds>(rest), std::chrono::milliseconds(1));
    }

    /// Under the events' lock; called after that is given back.
    std::function<void()> take_wake() { return std::exchange(on_news_, nullptr); }

  private:
    Moment due() const { return spoke_at_.value_or(Moment()) + events_.options_.keep_alive; }

    /// Looks at the token again when the last look is old.
    bool may_go_on(Moment now) {
        if (!user_ || now >= looked_at_ + std::min(events_.options_.look_again, events_.options_.keep_alive)) {
            user_ = caller_();
            looked_at_ = now;
        }
        return user_ != nullptr;
    }

    void append_news(const EventLog& log, std::string& piece) {
        if (!place_ || !log.is_whole_behind(*place_)) {
            place_ = log.newest();
            append_event(piece, events_.id_of(*place_), "reset", "{}");
            return;
        }
        const bool sees_all = user_->is_administrator();
        auto place = *place_;
        while (piece.size() < piece_bytes) {
            const auto* const event = log.next_behind(place);
            if (event == nullptr) break;
            place_ = place;
            if (sees_all || may_see(*user_, event->task_name))
                append_event(piece, events_.id_of(place), "task", event->data);
        }
        // The places behind the last event have no event: their tasks have changed again.
        if (piece.size() < piece_bytes) place_ = log.newest();
    }

    TaskEvents& events_;
    const Caller caller_;
    std::shared_ptr<const auth::User> user_;
    Moment looked_at_;
    std::optional<EventLog::Place> place_;  // none: nothing was told yet
    std::optional<Moment> spoke_at_;
    std::function<void()> on_news_;  // the events' lock guards it, and entry_
    std::list<Viewer*>::iterator entry_;
};

TaskEvents::TaskEvents(TaskManager& tasks, TaskEventsOptions options)
    : tasks_(tasks),
      options_(options),
      life_(make_task_id(Clock::system().wall())),
      log_(options.most_events, options.most_bytes),
      thread_([this] { run(); }) {}

TaskEvents::~TaskEvents() {
    close();
    {
        const MutexLock lock(mutex_);
        stopping_ = true;
        wake_.notify_all();
    }
    thread_.join();
    tasks_.changes().stop();
}

std::shared_ptr<http::BodyStream> TaskEvents::view(std::string_view last_event_id, Caller caller) {
    return std::make_shared<Viewer>(*this, place_of(last_event_id), std::move(caller));
}

void TaskEvents::close() {
    Wakes wakes;
    {
        const MutexLock lock(mutex_);
        is_closed_ = true;
        wakes = take_wakes();
    }
    for (const auto& wake : wakes) wake();
}

std::size_t TaskEvents::viewer_count() const {
    const MutexLock lock(mutex_);
    return viewers_.size();
}

TaskEvents::Wakes TaskEvents::take_wakes() {
    Wakes wakes;
    for (auto* viewer : viewers_)
        if (auto wake = viewer->take_wake()) wakes.push_back(std::move(wake));
    return wakes;
}

void TaskEvents::run() {
    name_this_thread("taskd-events");
    for (;;) {
        TaskChanges::Look unseen;  // goes after the lock: what tasks hold is others' code
        {
            const MutexLock lock(mutex_);
            while (!stopping_ && !gathers_) wake_.wait(mutex_);
            const auto until = std::chrono::steady_clock::now() + options_.gather;
            while (!stopping_ && wake_.wait_until(mutex_, until) != std::cv_status::timeout) continue;
            if (stopping_) return;
            if (viewers_.empty() && std::chrono::steady_clock::now() >= left_at_ + options_.linger) {
                gathers_ = false;
                log_.break_off();  // and so it holds no memory
                unseen = tasks_.changes().stop();
                continue;
            }
        }
        gather();
    }
}

void TaskEvents::gather() {
    const auto changes = tasks_.changes().take();
    for (const auto& task : changes.tasks)
        if (task->is_accepted()) put(*task);
    Wakes wakes;
    {
        const MutexLock lock(mutex_);
        if (!changes.is_complete) log_.break_off();
        if (!changes.tasks.empty() || !changes.is_complete) wakes = take_wakes();
    }
    for (const auto& wake : wakes) wake();
}

void TaskEvents::put(const Task& task) {
    auto data = to_text(task_detail(task));
    const MutexLock lock(mutex_);
    if (data.size() > most_event_bytes)
        log_.break_off();
    else
        log_.put({task.id(), task.name(), std::move(data)});
}

std::string TaskEvents::id_of(EventLog::Place place) const {
    return life_ + "." + std::to_string(place);
}

std::optional<EventLog::Place> TaskEvents::place_of(std::string_view last_event_id) const {
    if (!last_event_id.starts_with(life_)) return std::nullopt;
    last_event_id.remove_prefix(life_.size());
    if (!last_event_id.starts_with('.')) return std::nullopt;
    EventLog::Place place = 0;
    const char* const end = last_event_id.data() + last_event_id.size();
    const auto read = std::from_chars(last_event_id.data() + 1, end, place);
    if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
    return place;
}

}  // namespace taskd::api
