#include "core/mutex.hpp"

#include <cerrno>
#include <map>
#include <optional>

#include <taskd/error.hpp>
#include <taskd/send_command_executor.hpp>

namespace taskd {

struct CommandAnswers::State {
    explicit State(NotificationQueue& notifications) : queue(notifications) {}

    void deliver(nlohmann::json value);
    bool has_others();
    std::optional<Handler> take(const std::string& tag);

    NotificationQueue& queue;
    Mutex mutex;
    std::map<std::string, Handler> awaited TASKD_GUARDED_BY(mutex);
    std::optional<NotificationQueue::ListenerId> listener TASKD_GUARDED_BY(mutex);
};

std::optional<CommandAnswers::Handler> CommandAnswers::State::take(const std::string& tag) {
    MutexLock lock(mutex);
    const auto found = awaited.find(tag);
    if (found == awaited.end()) return std::nullopt;
    auto handler = std::move(found->second);
    awaited.erase(found);
    if (awaited.empty() && listener) {
        queue.deregister(*listener);
        listener.reset();
    }
    return handler;
}

bool CommandAnswers::State::has_others() {
    MutexLock lock(mutex);
    return listener ? queue.has_listener_beside(*listener, event) : queue.has_listener(event);
}

void CommandAnswers::State::deliver(nlohmann::json value) {
    if (!value.is_object()) return;
    const auto tag = value.find("tag");
    if (tag == value.end() || !tag->is_string()) return;
    if (const auto handler = take(tag->get<std::string>())) (*handler)(std::move(value));
}

CommandAnswers::CommandAnswers(NotificationQueue& queue) : state_(std::make_shared<State>(queue)) {}

CommandAnswers::~CommandAnswers() {
    MutexLock lock(state_->mutex);
    if (state_->listener) state_->queue.deregister(*state_->listener);
    state_->listener.reset();
}

void CommandAnswers::expect(const std::string& tag, Handler handler) {
    MutexLock lock(state_->mutex);
    if (!state_->awaited.emplace(tag, std::move(handler)).second)
        throw Error(ErrorKind::conflict, EEXIST, "taskd", "a command with tag '" + tag + "' is under way");
    if (!state_->listener)
        // Shared: a call that is under way on the queue's thread may outlive the deregistration.
        state_->listener = state_->queue.register_listener(
            [state = state_](const nlohmann::json& value) { state->deliver(value); }, {std::string(event)});
}

bool CommandAnswers::forget(const std::string& tag) {
    return state_->take(tag).has_value();
}

void CommandAnswers::post(nlohmann::json value) {
    if (!state_->has_others()) return state_->deliver(std::move(value));
    try {
        state_->queue.new_notification(std::string(event), value);
    } catch (const QueueFull&) {
        state_->deliver(std::move(value));
    }
}

}  // namespace taskd
