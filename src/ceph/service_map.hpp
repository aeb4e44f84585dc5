#pragma once

#include "ceph/cluster.hpp"

#include <map>
#include <memory>
#include <string>

namespace taskd::ceph {

/// Host name, pid, addresses and the given version of this process, as the service map shows them.
std::map<std::string, std::string> own_metadata(const Cluster& cluster, const std::string& version);

/// This program's entry in the cluster's service map: `ceph -s` shows `taskd: 1 daemon active`, `ceph service dump` the
/// metadata and `ceph service status` the status. librados keeps it alive with beacons to the mgr as long as the
/// cluster handle lives; there is no call that ends it earlier.
/// @thread  Any.
class ServiceMapEntry {
  public:
    /// @param daemon    Unique per process: "host.pid", an id.
    /// @param metadata  Neither key nor value holds a NUL; a key is not empty.
    /// @throws BadRequest, Error (EEXIST: this handle is registered already)
    ServiceMapEntry(std::shared_ptr<Cluster> cluster, const std::string& daemon,
                    const std::map<std::string, std::string>& metadata);

    /// Replaces the status. Does not block: it goes with the next beacon.
    void update_status(const std::map<std::string, std::string>& status);

  private:
    std::shared_ptr<Cluster> cluster_;
};

}  // namespace taskd::ceph
