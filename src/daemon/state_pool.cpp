#include "daemon/state_pool.hpp"

namespace taskd::daemon {

ceph::Ioctx open_state_pool(const ceph::Cluster& cluster, const std::string& pool) {
    return cluster.open_ioctx(pool.empty() ? cluster.conf("rbd_default_pool") : pool, "taskd");
}

}  // namespace taskd::daemon
