#pragma once

#include "core/mutex.hpp"
#include "worker/dispatcher.hpp"

#include <cstdint>
#include <map>
#include <string>

#include <taskd/clock.hpp>

namespace taskd::daemon {

/// What `ceph service status` tells of the active daemon. librados lets a service tell words and figures there and
/// nowhere else: only monitors, the mgr's modules and Ceph's own daemons can raise a health check (docs/running.md).
/// @thread  Any.
class ServiceStatus {
  public:
    explicit ServiceStatus(const Clock& clock = Clock::system()) : clock_(clock) {}

    /// A task has failed. @param what  Which, and why, in one line; told whole up to 512 bytes.
    void note_failure(std::string what);

    /// `condition` is "ok" or what an operator should look at, by the thresholds of docs/prometheus; the rest are
    /// figures, and the last failure with its time.
    std::map<std::string, std::string> of(const worker::DispatcherStatus& dispatcher) const;

  private:
    const Clock& clock_;
    mutable Mutex mutex_;
    std::uint64_t failures_ TASKD_GUARDED_BY(mutex_) = 0;
    std::string last_failure_ TASKD_GUARDED_BY(mutex_);
};

}  // namespace taskd::daemon
