#pragma once

#include "ceph/command_sender.hpp"
#include "core/mutex.hpp"
#include "rbd/operation.hpp"
#include "worker/worker.hpp"

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>
#include <taskd/executor.hpp>

namespace taskd::worker {

/// Where a runner's news go.
/// @thread  Called from the runner's threads, several at a time; `progress` from librbd's too.
class JobSink {
  public:
    virtual ~JobSink() = default;
    /// At most ten times a second for a job, and never falling; the same value again at most once a second.
    virtual void progress(const std::string& id, int percent) noexcept = 0;
    /// Exactly once for each order; `error` is null on success, else as `error_to_json`.
    virtual void result(const std::string& id, nlohmann::json value, nlohmann::json error) noexcept = 0;
};

/// Called before each step of an operation; tests end the process or throw here.
using StepHook = std::function<void(const WorkOrder& order, std::string_view step)>;

/// Runs blocking operations on threads, in a worker process or in the front itself.
/// @thread  Every member is safe from any thread; none but the destructor blocks.
class JobRunner {
  public:
    /// @param cluster  Connected; null where no operation asks for it.
    JobRunner(std::shared_ptr<const ceph::Cluster> cluster, const rbd::OperationRegistry& registry, JobSink& sink,
              std::size_t most_jobs, StepHook step_hook = {});
    /// Asks every job to stop and waits for it.
    ~JobRunner();
    JobRunner(const JobRunner&) = delete;
    JobRunner& operator=(const JobRunner&) = delete;

    void run(WorkOrder order);
    void cancel(const std::string& id);
    std::size_t jobs() const;

  private:
    class Context;

    void execute(const std::shared_ptr<Context>& context) noexcept;

    const std::shared_ptr<const ceph::Cluster> cluster_;
    const rbd::OperationRegistry& registry_;
    JobSink& sink_;
    const StepHook step_hook_;
    ceph::CommandSender commands_;
    mutable Mutex mutex_;
    std::map<std::string, std::shared_ptr<Context>> jobs_ TASKD_GUARDED_BY(mutex_);
    ThreadPool threads_;  // last: its threads use all of the above
};

}  // namespace taskd::worker
