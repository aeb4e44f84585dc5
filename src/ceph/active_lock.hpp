#pragma once

#include "ceph/cluster.hpp"
#include "core/boot_clock.hpp"

#include <chrono>
#include <memory>
#include <string>

namespace taskd::ceph {

/// The exclusive lock of the one active front, on a RADOS object, with a limited life that its holder renews.
/// @thread  One. Every member blocks until the OSD answers.
/// @source  librados.h `rados_lock_exclusive`
class ActiveLock {
  public:
    enum class Outcome {
        held,    ///< It is ours, for `duration` from now.
        taken,   ///< Somebody else has it.
        fenced,  ///< This client is blocklisted.
    };

    /// @param cookie  Unique to this front.
    ActiveLock(std::shared_ptr<Cluster> cluster, Ioctx io, std::string object, std::string cookie,
               std::chrono::seconds duration);

    /// For how long nobody else can have the lock, whatever they do.
    struct Lease {
        BootClock::time_point begin;  ///< When the taking or renewal that succeeded was asked for.
        BootClock::time_point end;
    };

    /// Takes or renews it. @throws Error on anything but an outcome
    Outcome take();
    /// Of the last time that it was held.
    Lease lease() const noexcept { return lease_; }
    void release() noexcept;
    /// Takes it from whoever has it, who must be known to be dead.
    void break_others();

  private:
    const std::shared_ptr<Cluster> cluster_;
    const Ioctx io_;
    const std::string object_;
    const std::string cookie_;
    const std::chrono::seconds duration_;
    Lease lease_;
};

}  // namespace taskd::ceph
