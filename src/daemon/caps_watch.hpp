#pragma once

#include "ceph/caps_check.hpp"
#include "ceph/cluster.hpp"
#include "core/mutex.hpp"
#include "daemon/options.hpp"

#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace taskd::daemon {

/// Tests once, as the daemon starts, whether its Ceph user has the caps that it needs. A line of the log for each that
/// is missing; nothing waits for it, and nothing depends on what it finds.
/// @thread  `report` from any; the others from the owner's.
class CapsWatch {
  public:
    CapsWatch(const Options& options, std::shared_ptr<ceph::Cluster> cluster);
    /// Ends a test under way, within a second.
    ~CapsWatch();
    CapsWatch(const CapsWatch&) = delete;
    CapsWatch& operator=(const CapsWatch&) = delete;

    /// Null until the test is over.
    std::shared_ptr<const ceph::CapsReport> report() const;

  private:
    mutable Mutex mutex_;
    std::shared_ptr<const ceph::CapsReport> report_ TASKD_GUARDED_BY(mutex_);
    std::jthread thread_;  // last: it uses all of the above
};

/// The roles that a daemon of these options has.
std::vector<std::string> caps_roles_of(const Options& options);

}  // namespace taskd::daemon
