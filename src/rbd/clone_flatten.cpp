#include "rbd/clone_flatten.hpp"

#include "ceph/cluster.hpp"
#include "rbd/error.hpp"
#include "rbd/image_spec.hpp"
#include "rbd/operation.hpp"
#include "rbd/progress.hpp"

#include <cerrno>
#include <optional>
#include <string>
#include <utility>

#include <rbd/features.h>

namespace taskd::rbd {
namespace {

/// Why librbd would not make it independent, empty when it would.
std::string obstacle_of(const Image& image) {
    if (image.is_mirror_copy()) return "the copy of a mirrored image: flatten it at its primary site";
    if ((image.features() & RBD_FEATURE_MIGRATING) != 0) return "being migrated";
    if ((image.features() & RBD_FEATURE_DEEP_FLATTEN) == 0 && !image.snapshots().empty())
        return "has snapshots, which flattening leaves as they are without the feature deep-flatten: remove those";
    return {};
}

void flatten(OperationContext& context, const Flattening& one, Progress& progress) {
    const auto& child = one.clone.child;
    const auto doing = "error flattening " + python_bytes(shown(child.spec));
    context.step("flatten clone " + shown(child.spec));
    if (context.stop_requested())
        throw rbd_error(-ECANCELED, doing, "clones were flattened before; the image and its snapshots are whole");
    progress.begin_part(one.objects);
    const auto io = context.cluster().open_ioctx(child.pool, child.ns);
    // Gone meanwhile: it needs its parent no more.
    if (const auto image = Image::open_by_id(io.handle(), child.id, Image::Mode::read_write)) {
        const int rc = rbd_flatten_with_progress(image->handle(), Progress::callback, &progress);
        // EINVAL: it has no parent any more.
        if (rc == -ECANCELED) throw rbd_error(rc, doing, "the clone is partly flattened; everything is whole");
        if (rc < 0 && rc != -EINVAL) throw rbd_error(rc, doing);
    }
    progress.end_part();
}

}  // namespace

std::vector<Flattening> plan_flattening(const ceph::Cluster& cluster, std::vector<Blockers::Clone>& clones) {
    std::vector<Flattening> plan;
    std::vector<Blockers::Clone> others;
    for (auto& clone : clones) {
        const auto io = cluster.open_ioctx(clone.child.pool, clone.child.ns);
        const auto image = Image::open_by_id(io.handle(), clone.child.id, Image::Mode::read_only);
        clone.obstacle = image ? obstacle_of(*image) : "cannot be opened: it is half removed, remove it to the end";
        if (clone.obstacle.empty())
            plan.push_back({std::move(clone), image->object_count()});
        else
            others.push_back(std::move(clone));
    }
    clones = std::move(others);
    return plan;
}

void flatten_clones(OperationContext& context, const std::vector<Flattening>& plan, Progress& progress) {
    for (const auto& one : plan) flatten(context, one, progress);
}

}  // namespace taskd::rbd
