#pragma once

#include "rbd/blockers.hpp"
#include "rbd/clone_flatten.hpp"

#include <chrono>
#include <cstdint>
#include <vector>

#include <nlohmann/json.hpp>

namespace taskd::rbd {

/// What a request wants of the removal of an image.
struct RemovalWish {
    bool refuses_snapshots = false;
    bool flattens_clones = false;

    /// Of the fields `snapshots` and `children` of a normal form.
    static RemovalWish of(const nlohmann::json& arguments);
};

/// What the removal of an image is going to do, in this order; looked at before anything is done.
struct RemovalPlan {
    SnapshotPlan snapshot_plan = SnapshotPlan::remove;
    bool keeps_in_trash = false;          ///< `rbd_move_to_trash_on_remove`: nothing of the below is done.
    std::vector<Flattening> flattenings;  ///< First these clones become independent,
    std::vector<Snapshot> snapshots;      ///< then these are removed,
    std::uint64_t objects = 0;            ///< then the image, of so many data objects.
    std::uint64_t size_bytes = 0;
    Blockers blockers;

    /// In data objects, for a progress.
    std::uint64_t weight() const noexcept;
};

/// Whether removing an image only moves it to the trash here: librbd's option, of the pool or else the cluster.
/// @throws Error
/// @thread Any. Blocks.
bool moves_to_trash(const ceph::Cluster& cluster, rados_ioctx_t pool);

/// About how long the removal of so many data objects takes, each of which is asked for: at 1,000 a second, as of a
/// cluster of disks. OSDs in memory do six times that.
/// @source  Ceph pull request 29635: an empty image of 1 TiB without object map, 262,144 objects, in 251 s
std::chrono::seconds removal_time(std::uint64_t objects) noexcept;

/// @param image  Opened read-only.
/// @throws Error
/// @thread Any. Blocks.
RemovalPlan plan_removal(Image& image, rados_ioctx_t pool, const ceph::Cluster& cluster, const RemovalWish& wish);

}  // namespace taskd::rbd
