#pragma once

#include "ceph/cluster.hpp"
#include "worker/job_runner.hpp"
#include "worker/worker.hpp"

#include <memory>

namespace boost::asio {
class io_context;
}

namespace taskd::worker {

/// A worker within this process, for embedding, debuggers and the thread sanitizer: a crash in librbd ends everything.
class LocalWorker final : public Worker {
  public:
    LocalWorker(std::shared_ptr<ceph::Cluster> cluster, const rbd::OperationRegistry& registry, std::size_t most_jobs,
                boost::asio::io_context& context, WorkerEvents& events);
    /// Waits for its jobs, which are asked to stop.
    ~LocalWorker() override;

    void run(const WorkOrder& order) override;
    void cancel(const std::string& id) override;
    /// Threads cannot be ended.
    bool kill() override { return false; }
    std::string description() const override { return "thread pool"; }
    std::string cluster_addresses() const override;

  private:
    class Sink;
    std::shared_ptr<ceph::Cluster> cluster_;
    std::shared_ptr<Sink> sink_;
    JobRunner runner_;
};

}  // namespace taskd::worker
