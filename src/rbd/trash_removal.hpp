#pragma once

#include "rbd/image.hpp"
#include "rbd/operation.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace taskd::rbd {

class Progress;

/// The removal of one entry of the trash: first a look at all that can forbid it, then the work.
class TrashRemoval {
  public:
    enum class Snapshots { refuse, remove };

    /// @param pool  With its namespace set; must outlive this.
    TrashRemoval(OperationContext& context, rados_ioctx_t pool, std::string id, Snapshots snapshots);

    /// @param force  Although its time has not come.
    /// @throws Error  ENOENT (no such entry), EPERM (its time has not come), what `Blockers::refusal` has
    void check(bool force);

    /// After `check`: its share of a progress that counts data objects.
    std::uint64_t weight() const noexcept;

    /// @throws Error  ECANCELED: the entry is half removed, and can be removed to the end
    void run(Progress& progress);

  private:
    void check_time(bool force) const;
    int remove_entry(Progress& progress) const;

    OperationContext& context_;
    rados_ioctx_t pool_;
    std::string id_;
    Snapshots plan_;
    std::uint64_t objects_ = 0;
    std::vector<Snapshot> snapshots_;
};

}  // namespace taskd::rbd
