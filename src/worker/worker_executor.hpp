#pragma once

#include "rbd/operation.hpp"
#include "worker/dispatcher.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include <taskd/executor.hpp>

namespace taskd::worker {

/// How a caller wants an operation run.
struct WorkOptions {
    Priority priority = Priority::normal;
    std::optional<std::chrono::milliseconds> deadline;  ///< From acceptance.
    std::string owner;                                  ///< See `Task::owner`.
};

/// Runs a registered operation, with the task's arguments, in a worker; the task's function is not used.
class WorkerExecutor final : public TaskExecutor {
  public:
    /// @param dispatcher, operation  Must outlive the task's run.
    /// @param room                   Of that dispatcher.
    WorkerExecutor(Dispatcher& dispatcher, QueueRoom room, const rbd::Operation& operation, WorkOptions options)
        : dispatcher_(dispatcher), room_(std::move(room)), operation_(operation), options_(std::move(options)) {}

    /// What was found out when the task was accepted and goes into every attempt beside the arguments. Before `start`.
    void bind(nlohmann::json bound) { bound_ = std::move(bound); }
    /// The operation is long by nature: it must leave slots to others. Before `start`.
    void set_heavy(bool heavy) { heavy_ = heavy; }
    /// The task may have run so often in earlier lives of the daemon. Before `start`.
    void set_attempts_before(int attempts) { attempts_before_ = attempts; }

    void start() override;
    void cancel(bool force) override;

  private:
    Dispatcher& dispatcher_;
    QueueRoom room_;
    const rbd::Operation& operation_;
    const WorkOptions options_;
    nlohmann::json bound_ = nlohmann::json::object();
    int attempts_before_ = 0;
    bool heavy_ = false;
};

}  // namespace taskd::worker
