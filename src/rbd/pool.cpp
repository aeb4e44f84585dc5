#include "rbd/pool.hpp"

#include "ceph/cluster.hpp"

#include <utility>

namespace taskd::rbd {

bool reopen_if_replaced(const ceph::Cluster& cluster, const ImageSpec& spec, ceph::Ioctx& pool) {
    if (rados_wait_for_latest_osdmap(cluster.handle()) < 0) return false;
    auto newest = cluster.open_ioctx(spec.pool, spec.ns);
    if (newest.pool_id() == pool.pool_id()) return false;
    pool = std::move(newest);
    return true;
}

}  // namespace taskd::rbd
