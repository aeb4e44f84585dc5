#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace taskd {

/// Delivers notifications (a type and a JSON value) to listeners, one after the other, on one thread of its own.
///
/// Order: notifications in the order posted; the listeners of one by ascending priority, then by registration.
/// A listener that throws is logged and never stops the queue or the other listeners. A listener may register,
/// deregister (itself too) and post from inside its call.
/// @thread  Every member is safe from any thread.
/// @source  Ceph dashboard `tools.NotificationQueue`; shared rules in docs/architecture.md.
class NotificationQueue {
  public:
    using Listener = std::function<void(const nlohmann::json& value)>;
    using ListenerId = std::size_t;

    static constexpr int default_priority = 1;
    static constexpr std::size_t default_capacity = 1U << 20U;

    /// @param capacity  Notifications that may wait for delivery.
    explicit NotificationQueue(std::size_t capacity = default_capacity);
    /// As `stop`. What was posted while it was not started is dropped.
    ~NotificationQueue();
    NotificationQueue(const NotificationQueue&) = delete;
    NotificationQueue& operator=(const NotificationQueue&) = delete;

    /// Starts delivery; does nothing when started. What was posted before is delivered now.
    void start();
    /// Returns when everything queued has been delivered; registrations stay. Does nothing when not started.
    /// @throws std::logic_error when a listener calls it
    void stop();

    /// Registers `listener` for these types, or for every type when the list is empty.
    /// In C++ a function has no identity, so the id that is returned takes its place: `register_again` adds types to
    /// it.
    ListenerId register_listener(Listener listener, std::vector<std::string> types = {},
                                 int priority = default_priority);
    /// Registers the same listener for more types; a type it already has is ignored, so that nothing is delivered
    /// twice. When it has
    /// all types and this one, it is called once, at the lower number.
    void register_again(ListenerId id, std::vector<std::string> types, int priority = default_priority);
    /// Ends the listener's registration for these types, or for all when the list is empty. Unknown ids are ignored.
    /// A call of the listener that is under way on the delivery thread may still end after this returns.
    void deregister(ListenerId id, const std::vector<std::string>& types = {});

    /// Posts a notification and returns at once.
    /// @throws QueueFull
    void new_notification(std::string type, nlohmann::json value);

    /// Whether anybody would get this type: lets a busy producer save itself the value.
    bool has_listener(std::string_view type) const noexcept;
    /// Whether anybody but `id` would.
    bool has_listener_beside(ListenerId id, std::string_view type) const noexcept;

  private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace taskd
