#include "rbd/pool.hpp"

#include "ceph/cluster.hpp"
#include "rbd/error.hpp"
#include "rbd/pool_probe.hpp"

#include <cerrno>
#include <utility>

#include <taskd/error.hpp>

namespace taskd::rbd {

bool reopen_if_replaced(const ceph::Cluster& cluster, const ImageSpec& spec, ceph::Ioctx& pool) {
    if (rados_wait_for_latest_osdmap(cluster.handle()) < 0) return false;
    auto newest = cluster.open_ioctx(spec.pool, spec.ns);
    if (newest.pool_id() == pool.pool_id()) return false;
    pool = std::move(newest);
    return true;
}

ceph::Ioctx open_pool(const ceph::Cluster& cluster, const std::string& pool, const std::string& component) {
    try {
        auto io = cluster.open_ioctx(pool);
        if (const auto why = why_no_images(cluster, pool, ""); !why.empty())
            throw rbd_error(-ETIMEDOUT, "error opening pool", why);
        return io;
    } catch (const Error& error) {
        if (error.component() != "pool") throw;
        throw Error(error.kind(), error.errno_value(), component, error.what(), error.extra());
    }
}

}  // namespace taskd::rbd
