#pragma once

#include "rbd/operation.hpp"
#include "worker/dispatcher.hpp"

#include <chrono>
#include <optional>

#include <taskd/executor.hpp>

namespace taskd::worker {

/// How a caller wants an operation run.
struct WorkOptions {
    Priority priority = Priority::normal;
    std::optional<std::chrono::milliseconds> deadline;  ///< From acceptance.
};

/// Runs a registered operation, with the task's arguments, in a worker; the task's function is not used.
class WorkerExecutor final : public TaskExecutor {
  public:
    /// @param dispatcher, operation  Must outlive the task's run.
    WorkerExecutor(Dispatcher& dispatcher, const rbd::Operation& operation, WorkOptions options)
        : dispatcher_(dispatcher), operation_(operation), options_(options) {}

    /// @throws QueueFull
    void start() override;
    void cancel(bool force) override;

  private:
    Dispatcher& dispatcher_;
    const rbd::Operation& operation_;
    const WorkOptions options_;
};

}  // namespace taskd::worker
