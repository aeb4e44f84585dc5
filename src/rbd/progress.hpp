#pragma once

#include "core/mutex.hpp"

#include <cstdint>

namespace taskd::rbd {

class OperationContext;

/// Maps the parts of an operation, each of which librbd reports from 0 to its own total, onto one scale that only
/// rises; and tells librbd to stop when the task is asked to.
/// @thread  `callback` from any of librbd's threads; the others from the operation's own.
class Progress {
  public:
    /// @param total  The sum of all parts; at least 1 is taken.
    Progress(OperationContext& context, std::uint64_t total);

    /// What is reported from here on counts towards the next `share` of the total.
    void begin_part(std::uint64_t share);
    void end_part();

    /// A `librbd_progress_fn_t`, `self` a Progress: -ECANCELED once a stop is requested.
    static int callback(std::uint64_t done, std::uint64_t total, void* self) noexcept;

  private:
    void report(double fraction) noexcept;

    OperationContext& context_;
    const std::uint64_t total_;
    Mutex mutex_;
    std::uint64_t base_ TASKD_GUARDED_BY(mutex_) = 0;
    std::uint64_t share_ TASKD_GUARDED_BY(mutex_) = 0;
    std::uint64_t highest_ TASKD_GUARDED_BY(mutex_) = 0;
};

}  // namespace taskd::rbd
