#pragma once

#include "ceph/command_sender.hpp"

#include <cstddef>
#include <memory>

#include <taskd/send_command_executor.hpp>

namespace taskd::ceph {

/// Sends the commands of tasks through a CommandSender and posts their answers as `command` notifications.
/// @thread  Any.
class SenderCommandPort : public CommandPort {
  public:
    /// @param sender         Must outlive this; `stop()` it first, so that no answer comes afterwards.
    /// @param notifications  The task manager's; must outlive this.
    /// @param output_cap     Bytes of output kept in an answer.
    SenderCommandPort(CommandSender& sender, NotificationQueue& notifications,
                      std::size_t output_cap = default_output_cap);
    ~SenderCommandPort() override;

    void send(Request request) override;
    bool cancel(const std::string& tag) override;
    CommandAnswers& answers() noexcept override;

  private:
    struct State;
    CommandSender& sender_;
    std::shared_ptr<State> state_;  ///< Shared with answers under way.
};

}  // namespace taskd::ceph
