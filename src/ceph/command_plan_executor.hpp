#pragma once

#include "core/mutex.hpp"

#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <taskd/executor.hpp>
#include <taskd/send_command_executor.hpp>

namespace taskd::ceph {

/// Commands to the monitors that are one change together.
struct CommandPlan {
    std::vector<nlohmann::json> commands;
    /// Called once after these with the last one's answer (as SendCommandExecutor's result): what else is to be sent.
    /// Throws to end the task as failed.
    std::function<std::vector<nlohmann::json>(const nlohmann::json& answer)> then = {};
};

/// Runs a task that is several commands, one after the other; each as SendCommandExecutor sends it. Its result is null.
///
/// The monitors know no transactions: the first command that fails ends the task, and what was done before stays done.
/// The failure then has `extra` = `{"done": [prefixes of the commands that were carried out]}`.
/// Cancelling takes effect between two commands; with `force` at once, and the one that was sent may take effect still.
class CommandPlanExecutor final : public TaskExecutor {
  public:
    /// @param port  Must outlive the task's run.
    CommandPlanExecutor(CommandPort& port, CommandPlan plan);

    void start() override;
    void cancel(bool force) override;

  private:
    void send_next(const nlohmann::json& last_answer);
    void handle(nlohmann::json value, const nlohmann::json& command);
    void fail(const std::exception_ptr& error);

    CommandPort& port_;
    const std::string tag_;
    CommandPlan plan_;               // of whoever sends or handles: one command is under way at a time
    std::size_t sent_ = 0;           // likewise
    std::vector<std::string> done_;  // likewise
    Mutex mutex_;
    std::string awaited_ TASKD_GUARDED_BY(mutex_);
    bool cancelled_ TASKD_GUARDED_BY(mutex_) = false;
};

}  // namespace taskd::ceph
