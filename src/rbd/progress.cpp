#include "rbd/progress.hpp"

#include "rbd/operation.hpp"

#include <algorithm>
#include <cerrno>

namespace taskd::rbd {

Progress::Progress(OperationContext& context, std::uint64_t total)
    : context_(context), total_(std::max<std::uint64_t>(total, 1)) {}

void Progress::begin_part(std::uint64_t share) {
    const MutexLock lock(mutex_);
    share_ = share;
}

void Progress::end_part() {
    report(1.0);
    const MutexLock lock(mutex_);
    base_ += share_;
    share_ = 0;
}

int Progress::callback(std::uint64_t done, std::uint64_t total, void* self) noexcept {
    auto& progress = *static_cast<Progress*>(self);
    if (total > 0) progress.report(static_cast<double>(std::min(done, total)) / static_cast<double>(total));
    return progress.context_.stop_requested() ? -ECANCELED : 0;
}

void Progress::report(double fraction) noexcept {
    // The report is made under the lock, or two threads could make theirs in the wrong order; it may not block.
    const MutexLock lock(mutex_);
    const auto done = std::min(base_ + static_cast<std::uint64_t>(fraction * static_cast<double>(share_)), total_);
    highest_ = std::max(highest_, done);
    context_.progress(highest_, total_);
}

}  // namespace taskd::rbd
