#pragma once

#include "ceph/cluster.hpp"

#include <string>

namespace taskd::daemon {

/// The namespace of the daemon's own state in a pool.
/// @param pool  Empty: the cluster's rbd_default_pool.
/// @throws Error  there is no such pool
ceph::Ioctx open_state_pool(const ceph::Cluster& cluster, const std::string& pool);

}  // namespace taskd::daemon
