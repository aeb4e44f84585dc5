#pragma once

#include "ceph/active_lock.hpp"
#include "ceph/cluster.hpp"

#include <memory>
#include <string>

namespace taskd::daemon {

/// Held while an administrator's command reads, changes and writes users and roles: what another command writes in
/// between is not lost. A lock on an object beside the journal; that of a command that died ends by itself.
/// @thread  One. Every member blocks, with a bound.
class ChangeLock {
  public:
    /// Waits for those before it.
    /// @param cluster  With an `osd_op_timeout`.
    /// @param pool     Of the daemon's own state; empty: the cluster's rbd_default_pool.
    /// @throws Error  EBUSY (somebody has had it for longer than it lives); another: there can be no lock
    ChangeLock(const std::shared_ptr<ceph::Cluster>& cluster, const std::string& pool);
    /// Releases it.
    ~ChangeLock();
    ChangeLock(const ChangeLock&) = delete;
    ChangeLock& operator=(const ChangeLock&) = delete;

    /// Makes sure that it is still held, before what must not happen without it.
    /// @throws Error  EBUSY (it is somebody else's by now); another: nobody knows
    void renew();

  private:
    ceph::ActiveLock lock_;
};

}  // namespace taskd::daemon
