#pragma once

#include "api/services.hpp"
#include "ceph/active_lock.hpp"
#include "ceph/cluster.hpp"
#include "core/mutex.hpp"
#include "daemon/options.hpp"
#include "daemon/pulse.hpp"
#include "daemon/session.hpp"
#include "rbd/operation.hpp"

#include <chrono>
#include <condition_variable>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <taskd/error.hpp>

namespace taskd::daemon {

class Ownership;

/// Brings a front to the active role and back, for as long as the process lives.
///
///     connecting ──▶ standby ──▶ recovering ──▶ active ──▶ draining ──▶ (end)
///          ▲            ▲                          │
///          │            └──── the lock is lost ────┤
///          └──────────── the client is fenced ─────┘
///
/// A front that is no longer the active one ends its workers before it does anything else.
/// @thread  `standing` from any thread; the others from the owner's.
class Lifecycle {
  public:
    /// @param cluster  Connected. Replaced by a new client when it was fenced.
    Lifecycle(Options options, std::shared_ptr<ceph::Cluster> cluster, const rbd::OperationRegistry& registry,
              std::vector<std::string> worker_command, std::string url);
    /// Ends at once, without grace.
    ~Lifecycle();
    Lifecycle(const Lifecycle&) = delete;
    Lifecycle& operator=(const Lifecycle&) = delete;

    /// What is known of this front's role. Once its lock may be another's, it is not sure of what it does not know of;
    /// and when it was not run for a while besides, it has no services until it has seen that the lock is still its
    /// own.
    api::Access::Standing standing() const;
    /// Waits until this front is active or standby, at most `timeout`.
    void wait_until_settled(std::chrono::milliseconds timeout);
    /// Starts nothing more, lets running tasks end for the grace time, gives the role back. Blocks, but never longer
    /// than the grace time and a few seconds: a cluster that does not answer is left behind.
    void drain();

  private:
    enum class End { stop, lost, fenced };

    void run();
    std::shared_ptr<ceph::Cluster> reconnect();
    void be_alone(const std::shared_ptr<ceph::Cluster>& cluster);
    End live(const std::shared_ptr<ceph::Cluster>& cluster);
    End stand_by(Ownership& ownership);
    End be_active(const std::shared_ptr<ceph::Cluster>& cluster, Ownership& ownership);
    End hold(Ownership& ownership, Session& session);
    void publish(std::shared_ptr<Session> session, std::string state, std::string active_url = {});
    void confirm(const Ownership& ownership);
    std::string with_caps(const Error& error) const;
    void retire(std::shared_ptr<Session> session);
    void handle_lost(const std::string& why);
    /// @returns false when the process is to stop.
    bool pause(std::chrono::milliseconds duration);
    bool is_stopping() const;

    const Options options_;
    std::shared_ptr<ceph::Cluster> cluster_;
    const rbd::OperationRegistry& registry_;
    const std::vector<std::string> worker_command_;
    const std::string url_;

    mutable Mutex mutex_;
    std::condition_variable_any wake_;
    api::Access::Standing standing_ TASKD_GUARDED_BY(mutex_);
    bool stopping_ TASKD_GUARDED_BY(mutex_) = false;
    bool ended_ TASKD_GUARDED_BY(mutex_) = false;
    bool lost_ TASKD_GUARDED_BY(mutex_) = false;
    ceph::ActiveLock::Lease lease_ TASKD_GUARDED_BY(mutex_);  ///< Of the lock, while this front is the active one.
    /// Sessions that requests still hold; destroyed here, never on a connection's thread.
    std::vector<std::shared_ptr<Session>> retired_;
    Pulse pulse_;
    std::thread thread_;  // last: it uses all of the above
};

}  // namespace taskd::daemon
