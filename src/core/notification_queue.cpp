#include "core/mutex.hpp"
#include "core/thread_name.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <stdexcept>
#include <thread>
#include <tuple>

#include <spdlog/spdlog.h>
#include <taskd/error.hpp>
#include <taskd/notification_queue.hpp>

namespace taskd {

struct NotificationQueue::State {
    struct Notification {
        std::string type;
        nlohmann::json value;
    };
    /// A listener's registration for one type; the empty type stands for all.
    struct Registration {
        int priority;
        ListenerId id;
        std::shared_ptr<const Listener> listener;
    };

    explicit State(std::size_t most) : capacity(most) {}

    /// The listeners of a type in the order of their calls, copied so that a listener may change registrations.
    std::vector<Registration> listeners_of(const std::string& type) TASKD_REQUIRES(mutex) {
        std::vector<Registration> found;
        for (const auto& key : {std::string(), type}) {
            if (const auto some = registrations.find(key); some != registrations.end())
                found.insert(found.end(), some->second.begin(), some->second.end());
        }
        // Who registered for all types and for this one is called once, at the lower number.
        std::sort(found.begin(), found.end(), [](const Registration& a, const Registration& b) {
            return std::tie(a.id, a.priority) < std::tie(b.id, b.priority);
        });
        const auto same = [](const Registration& a, const Registration& b) { return a.id == b.id; };
        found.erase(std::unique(found.begin(), found.end(), same), found.end());
        std::stable_sort(found.begin(), found.end(),
                         [](const Registration& a, const Registration& b) { return a.priority < b.priority; });
        return found;
    }

    void add(ListenerId id, std::shared_ptr<const Listener> listener, std::vector<std::string> types, int priority)
        TASKD_REQUIRES(mutex) {
        if (types.empty()) types.emplace_back();
        for (auto& type : types) {
            auto& same_type = registrations[std::move(type)];
            const bool known =
                std::any_of(same_type.begin(), same_type.end(), [&](const auto& r) { return r.id == id; });
            if (!known) same_type.push_back({priority, id, listener});
        }
        registered.store(!registrations.empty(), std::memory_order_release);
    }

    void deliver_until_stopped();
    static void deliver(const Notification& notification, const std::vector<Registration>& listeners) noexcept;

    const std::size_t capacity;
    std::atomic<bool> registered{false};  ///< Whether anybody listens to anything: keeps `has_listener` cheap.
    mutable Mutex mutex;
    std::condition_variable_any wake;
    std::map<std::string, std::vector<Registration>, std::less<>> registrations TASKD_GUARDED_BY(mutex);
    std::deque<Notification> queue TASKD_GUARDED_BY(mutex);
    ListenerId next_id TASKD_GUARDED_BY(mutex) = 1;
    bool stopping TASKD_GUARDED_BY(mutex) = false;

    Mutex control;  ///< Serialises start and stop, which waits for the thread; taken before `mutex`.
    std::thread thread TASKD_GUARDED_BY(control);
};

namespace {

/// The queue whose notifications this thread delivers.
thread_local const void* delivers_here = nullptr;

}  // namespace

void NotificationQueue::State::deliver(const Notification& notification,
                                       const std::vector<Registration>& listeners) noexcept {
    for (const auto& registration : listeners) {
        try {
            (*registration.listener)(notification.value);
        } catch (...) {
            spdlog::error("notification '{}': listener {} threw: {}", notification.type, registration.id,
                          error_text(std::current_exception()));
        }
    }
}

void NotificationQueue::State::deliver_until_stopped() {
    name_this_thread("taskd-notify");
    delivers_here = this;
    for (;;) {
        Notification next;
        std::vector<Registration> listeners;
        {
            MutexLock lock(mutex);
            while (queue.empty() && !stopping) wake.wait(mutex);
            if (queue.empty()) return;
            next = std::move(queue.front());
            queue.pop_front();
            listeners = listeners_of(next.type);
        }
        deliver(next, listeners);
    }
}

NotificationQueue::NotificationQueue(std::size_t capacity) : state_(std::make_shared<State>(capacity)) {}

NotificationQueue::~NotificationQueue() {
    stop();
}

void NotificationQueue::start() {
    if (delivers_here == state_.get()) return;  // a listener: it is started, and `stop` may wait for this thread
    MutexLock one_at_a_time(state_->control);
    if (state_->thread.joinable()) return;
    {
        MutexLock lock(state_->mutex);
        state_->stopping = false;
    }
    state_->thread = std::thread([state = state_] { state->deliver_until_stopped(); });
}

void NotificationQueue::stop() {
    if (delivers_here == state_.get()) throw std::logic_error("a listener cannot stop its own notification queue");
    MutexLock one_at_a_time(state_->control);
    if (!state_->thread.joinable()) return;
    {
        MutexLock lock(state_->mutex);
        state_->stopping = true;
    }
    state_->wake.notify_all();
    state_->thread.join();
}

NotificationQueue::ListenerId NotificationQueue::register_listener(Listener listener, std::vector<std::string> types,
                                                                   int priority) {
    MutexLock lock(state_->mutex);
    const ListenerId id = state_->next_id++;
    state_->add(id, std::make_shared<const Listener>(std::move(listener)), std::move(types), priority);
    return id;
}

void NotificationQueue::register_again(ListenerId id, std::vector<std::string> types, int priority) {
    MutexLock lock(state_->mutex);
    for (const auto& [type, same_type] : state_->registrations) {
        const auto known = std::find_if(same_type.begin(), same_type.end(), [&](const auto& r) { return r.id == id; });
        if (known == same_type.end()) continue;
        state_->add(id, std::shared_ptr<const Listener>(known->listener), std::move(types), priority);
        return;
    }
}

void NotificationQueue::deregister(ListenerId id, const std::vector<std::string>& types) {
    MutexLock lock(state_->mutex);
    for (auto same_type = state_->registrations.begin(); same_type != state_->registrations.end();) {
        if (types.empty() || std::find(types.begin(), types.end(), same_type->first) != types.end())
            std::erase_if(same_type->second, [&](const auto& r) { return r.id == id; });
        same_type = same_type->second.empty() ? state_->registrations.erase(same_type) : std::next(same_type);
    }
    state_->registered.store(!state_->registrations.empty(), std::memory_order_release);
}

void NotificationQueue::new_notification(std::string type, nlohmann::json value) {
    {
        MutexLock lock(state_->mutex);
        if (state_->queue.size() >= state_->capacity) throw QueueFull("notification queue", state_->capacity);
        state_->queue.push_back({std::move(type), std::move(value)});
    }
    state_->wake.notify_one();
}

bool NotificationQueue::has_listener_beside(ListenerId id, std::string_view type) const noexcept {
    MutexLock lock(state_->mutex);
    const auto hears = [&](std::string_view key) TASKD_REQUIRES(state_->mutex) {
        const auto found = state_->registrations.find(key);
        return found != state_->registrations.end() &&
               std::any_of(found->second.begin(), found->second.end(), [&](const auto& r) { return r.id != id; });
    };
    return hears({}) || hears(type);
}

bool NotificationQueue::has_listener(std::string_view type) const noexcept {
    if (!state_->registered.load(std::memory_order_acquire)) return false;
    MutexLock lock(state_->mutex);
    return state_->registrations.contains(std::string_view()) || state_->registrations.contains(type);
}

}  // namespace taskd
