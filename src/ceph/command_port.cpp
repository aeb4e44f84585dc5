#include "ceph/command_port.hpp"

#include "ceph/command_table.hpp"
#include "core/mutex.hpp"

#include <map>

namespace taskd::ceph {

struct SenderCommandPort::State {
    State(NotificationQueue& notifications, std::size_t cap) : answers(notifications), output_cap(cap) {}

    void answered(const std::string& tag, const CommandAnswer& answer) {
        {
            MutexLock lock(mutex);
            tickets.erase(tag);
        }
        nlohmann::json value;
        if (answer.error)
            value["error"] = error_to_json(answer.error);
        else
            value = to_view(answer.result, answer.command, output_cap);
        value["tag"] = tag;
        answers.post(std::move(value));
    }

    CommandAnswers answers;
    const std::size_t output_cap;
    Mutex mutex;
    std::map<std::string, CommandSender::Ticket> tickets TASKD_GUARDED_BY(mutex);
};

SenderCommandPort::SenderCommandPort(CommandSender& sender, NotificationQueue& notifications, std::size_t output_cap)
    : sender_(sender), state_(std::make_shared<State>(notifications, output_cap)) {}

SenderCommandPort::~SenderCommandPort() = default;

void SenderCommandPort::send(Request request) {
    check_shape(request.command);
    const auto target = CommandTarget::parse(request.target);
    auto callback = [state = state_, tag = request.tag](const CommandAnswer& answer) { state->answered(tag, answer); };
    // Held over the send, so that an answer which comes at once finds the ticket to erase.
    MutexLock lock(state_->mutex);
    state_->tickets[request.tag] =
        sender_.send(target, std::move(request.command), std::move(request.input), std::move(callback));
}

bool SenderCommandPort::cancel(const std::string& tag) {
    CommandSender::Ticket ticket = 0;
    {
        MutexLock lock(state_->mutex);
        const auto found = state_->tickets.find(tag);
        if (found == state_->tickets.end()) return false;
        ticket = found->second;
    }
    return sender_.cancel(ticket);
}

CommandAnswers& SenderCommandPort::answers() noexcept {
    return state_->answers;
}

}  // namespace taskd::ceph
