#pragma once

#include "ceph/cluster.hpp"
#include "daemon/options.hpp"
#include "http/endpoint.hpp"
#include "rbd/operation.hpp"

#include <memory>
#include <vector>

namespace taskd::daemon {

/// The front: the HTTP server, which is there for the life of the process, and the lifecycle that makes it active.
/// @thread  The main thread's.
class Front {
  public:
    /// Listens, and serves when it returns; active or standby by then if the cluster answers.
    /// @param cluster         Connected.
    /// @param worker_command  How a worker process is started.
    /// @throws Error  one line that says what to mend
    Front(const Options& options, std::shared_ptr<ceph::Cluster> cluster, const rbd::OperationRegistry& registry,
          std::vector<std::string> worker_command);
    /// Stops at once.
    ~Front();
    Front(const Front&) = delete;
    Front& operator=(const Front&) = delete;

    /// Where it listens, with the ports that the system chose.
    const std::vector<http::Endpoint>& endpoints() const noexcept;

    /// Whether the server answers: asked of itself, by a request for /healthz.
    bool is_serving() const;

    /// Reads certificate and key again. New connections get them; when something is wrong with them, that is told in
    /// the log and the old ones stay. Blocks on the cluster if they are kept there.
    void reload_tls();

    /// Takes no more requests, lets running tasks end for the grace time, ends the workers. Blocks, with a bound.
    void drain();

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace taskd::daemon
