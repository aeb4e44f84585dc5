#pragma once

#include <atomic>
#include <memory>
#include <utility>

#include <taskd/executor.hpp>
#include <taskd/task_manager.hpp>

namespace taskd::test {

/// An executor that never runs the function: its task ends when the test calls `finish`.
class ManualExecutor : public TaskExecutor {
  public:
    void start() override {}
    void cancel(bool force) override { ++(force ? forced_cancels : cancels); }

    std::atomic<int> cancels{0};
    std::atomic<int> forced_cancels{0};
};

/// A task whose end is in the test's hands.
struct ManualTask {
    std::shared_ptr<Task> task;
    ManualExecutor* executor;  ///< Lives as long as the task.

    void finish(nlohmann::json value = nullptr) const { executor->finish(std::move(value)); }
    template <class Exception>
    void fail(Exception exception) const {
        executor->finish(nullptr, std::make_exception_ptr(std::move(exception)));
    }
};

/// Starts one; (name, metadata) must not be executing.
inline ManualTask run_manual(TaskManager& manager, std::string name, nlohmann::json metadata = nullptr,
                             RunOptions options = {}) {
    auto executor = std::make_unique<ManualExecutor>();
    ManualExecutor* const raw = executor.get();
    options.executor = std::move(executor);
    auto task = manager.run_function(std::move(name), std::move(metadata), nullptr, std::move(options));
    return {std::move(task), raw};
}

}  // namespace taskd::test
