#pragma once

#include "api/event_log.hpp"
#include "core/mutex.hpp"
#include "http/body_stream.hpp"
#include "http/message.hpp"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <taskd/task_manager.hpp>

namespace taskd::auth {
struct User;
}

namespace taskd::api {

struct TaskEventsOptions {
    std::chrono::milliseconds gather{250};         ///< How often viewers are told what has changed.
    std::chrono::milliseconds keep_alive{15'000};  ///< After so long a silence they are told that nothing has.
    std::chrono::milliseconds look_again{1'000};  ///< How old a look at a viewer's token may be when it is sent a task.
    /// How long changes are gathered after the last viewer has left: it may come back and want what it missed.
    std::chrono::milliseconds linger{30'000};
    std::size_t most_events = 10'000;  ///< That are kept for viewers who are slow or were away,
    std::size_t most_bytes = 16 * 1024 * 1024;
};

/// Tells viewers which tasks have changed, as server-sent events. What is told of a task is made once, by a thread of
/// its own, for all viewers; each has a place in the log and takes what lies behind it when its client takes more.
///
/// The thread sleeps, and the engine gathers nothing, while nobody views.
/// @thread  Any. Handlers do not wait for anything but a short lock.
/// @source  html.spec.whatwg.org, "Server-sent events"
class TaskEvents {
  public:
    /// Who views, as of now; null: may not any more. Called on the connection's thread.
    using Caller = std::function<std::shared_ptr<const auth::User>()>;

    /// @param tasks  Must outlive this.
    explicit TaskEvents(TaskManager& tasks, TaskEventsOptions options = {});
    ~TaskEvents();
    TaskEvents(const TaskEvents&) = delete;
    TaskEvents& operator=(const TaskEvents&) = delete;

    /// @param last_event_id  Where the client was when its last stream broke; empty: nowhere.
    /// @param caller         Not null.
    /// @returns  Must not outlive this.
    std::shared_ptr<http::BodyStream> view(std::string_view last_event_id, Caller caller);

    /// Ends all streams, and those that are still to come.
    void close();

    std::size_t viewer_count() const;

  private:
    class Viewer;
    using Wakes = std::vector<std::function<void()>>;

    void run();
    void gather();
    void put(const Task& task);
    std::optional<EventLog::Place> place_of(std::string_view last_event_id) const;
    std::string id_of(EventLog::Place place) const;
    Wakes take_wakes() TASKD_REQUIRES(mutex_);

    TaskManager& tasks_;
    const TaskEventsOptions options_;
    const std::string life_;  // which tells the places of this log from those of others

    mutable Mutex mutex_;
    std::condition_variable_any wake_;
    EventLog log_ TASKD_GUARDED_BY(mutex_);
    std::list<Viewer*> viewers_ TASKD_GUARDED_BY(mutex_);
    std::chrono::steady_clock::time_point left_at_ TASKD_GUARDED_BY(mutex_);  // the last viewer
    bool is_closed_ TASKD_GUARDED_BY(mutex_) = false;
    bool stopping_ TASKD_GUARDED_BY(mutex_) = false;
    bool gathers_ TASKD_GUARDED_BY(mutex_) = false;
    std::thread thread_;  // last: it uses all of the above
};

}  // namespace taskd::api
