#pragma once

#include "ceph/cluster.hpp"
#include "daemon/options.hpp"
#include "http/endpoint.hpp"
#include "rbd/operation.hpp"

#include <memory>
#include <vector>

namespace taskd::daemon {

/// The front: task list, queue, HTTP server and the cluster handle, wired. Owns all long-lived objects of the process.
/// @thread  The main thread's.
class Front {
  public:
    /// Starts everything; serves when it returns.
    /// @param cluster         Connected.
    /// @param worker_command  How a worker process is started.
    /// @throws Error  one line that says what to mend
    Front(Options options, std::shared_ptr<ceph::Cluster> cluster, const rbd::OperationRegistry& registry,
          std::vector<std::string> worker_command);
    /// Stops at once.
    ~Front();
    Front(const Front&) = delete;
    Front& operator=(const Front&) = delete;

    /// Where it listens, with the ports that the system chose.
    const std::vector<http::Endpoint>& endpoints() const noexcept;

    /// Takes no more requests, lets running tasks end for the grace time, ends the workers. Blocks.
    void drain();

    /// Puts the queue's figures into the service map; to be called every few seconds.
    void publish_status();

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace taskd::daemon
