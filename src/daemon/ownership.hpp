#pragma once

#include "ceph/active_lock.hpp"
#include "ceph/cluster.hpp"
#include "ceph/journal.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace taskd::daemon {

/// What the owner of the journal tells of itself, for standbys and for whoever takes over.
struct OwnerDescription {
    std::string url;  ///< Where clients are sent; empty when it has none for others.
    std::string host;
    std::string
        pid_space;  ///< Boot and pid namespace in which `pid` counts: hosts may share a name, containers one host.
    long pid = 0;
    unsigned long long started = 0;      ///< Of the process, in clock ticks since boot: a pid may be used again.
    std::vector<std::string> addresses;  ///< Cluster addresses of the front and its workers, to be fenced.

    std::string encode() const;
    /// Empty on anything that is none: an unreadable owner cannot be fenced, only waited for.
    static OwnerDescription decode(const std::string& text);
    /// Of this process.
    static OwnerDescription own(std::string url);
    /// Whether it is known to be dead: of this host, and the process is gone.
    bool is_dead_here() const;
    /// Whether it is an earlier client of this very process, which was fenced.
    bool is_this_process() const;
};

/// The way to the active role and back: the lock, the fencing of the one before, the claim on the journal.
/// @thread  The lifecycle's. Blocks on the cluster.
class Ownership {
  public:
    /// @param pool  Where state lives; namespace "taskd".
    /// @throws Error  The pool is not there.
    Ownership(std::shared_ptr<ceph::Cluster> cluster, const std::string& pool, OwnerDescription own);

    /// Tries to become the active one: takes the lock, or breaks that of a dead process of this host.
    ceph::ActiveLock::Outcome try_lock();
    /// Prolongs the lock; the same outcomes.
    ceph::ActiveLock::Outcome renew() { return lock_.take(); }
    ceph::ActiveLock::Lease lease() const noexcept { return lock_.lease(); }
    /// What is told of the active one.
    OwnerDescription active();

    /// Blocklists every address of the owner before, waits until all OSDs know, and claims the journal.
    /// @returns the journal's store, ours from now on
    /// @throws Error  Also when the lock was lost meanwhile.
    std::shared_ptr<ceph::JournalStore> take_over();
    const std::string& token() const noexcept { return token_; }

    /// The description with these workers, as it is to be recorded.
    std::string description_with(const std::vector<std::string>& worker_addresses) const;

    /// After an orderly end: only `to_fence` need still be fenced.
    void give_back(std::vector<std::string> to_fence) noexcept;

  private:
    void fence(const OwnerDescription& before);

    const std::shared_ptr<ceph::Cluster> cluster_;
    const OwnerDescription own_;
    const std::string token_;
    const std::shared_ptr<ceph::RadosJournalStore> store_;
    ceph::ActiveLock lock_;
};

}  // namespace taskd::daemon
