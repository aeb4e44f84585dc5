#include "rbd/removal_plan.hpp"

#include "ceph/cluster.hpp"
#include "rbd/error.hpp"
#include "rbd/snapshot_removal.hpp"

#include <array>
#include <cerrno>
#include <numeric>
#include <string>

namespace taskd::rbd {
bool moves_to_trash(const ceph::Cluster& cluster, rados_ioctx_t pool) {
    constexpr auto option = "rbd_move_to_trash_on_remove";
    constexpr auto key = "conf_rbd_move_to_trash_on_remove";
    std::array<char, 16> value{};
    std::size_t size = value.size();
    const int rc = rbd_pool_metadata_get(pool, key, value.data(), &size);
    if (rc < 0 && rc != -ENOENT) throw rbd_error(rc, "error getting metadata " + python_bytes(key) + " for pool");
    const std::string text = rc < 0 ? cluster.conf(option) : std::string(value.data());
    return text == "true" || text == "1";
}

RemovalWish RemovalWish::of(const nlohmann::json& arguments) {
    // A record of an earlier version has no `children`.
    return {arguments.at("snapshots") == "refuse", arguments.value("children", std::string{}) == "flatten"};
}

std::uint64_t RemovalPlan::weight() const noexcept {
    return std::accumulate(flattenings.begin(), flattenings.end(), objects + snapshots.size() * objects_per_snapshot,
                           [](std::uint64_t sum, const Flattening& one) { return sum + one.objects; });
}

std::chrono::seconds removal_time(std::uint64_t objects) noexcept {
    constexpr std::uint64_t objects_per_second = 1'000;
    return std::chrono::seconds(objects / objects_per_second + (objects % objects_per_second == 0 ? 0 : 1));
}

RemovalPlan plan_removal(Image& image, rados_ioctx_t pool, const ceph::Cluster& cluster, const RemovalWish& wish) {
    RemovalPlan plan;
    plan.objects = image.object_count();
    plan.size_bytes = image.size_bytes();
    plan.keeps_in_trash = moves_to_trash(cluster, pool);
    plan.snapshots = removable_snapshots(image);
    if (plan.keeps_in_trash && !plan.snapshots.empty())
        plan.snapshot_plan = SnapshotPlan::keep;
    else if (wish.refuses_snapshots)
        plan.snapshot_plan = SnapshotPlan::refuse;
    plan.blockers = find_blockers(image, pool, cluster, plan.snapshot_plan);
    if (plan.snapshot_plan != SnapshotPlan::remove) {
        plan.snapshots.clear();
        return plan;
    }
    if (wish.flattens_clones) plan.flattenings = plan_flattening(cluster, plan.blockers.clones);
    return plan;
}

}  // namespace taskd::rbd
