#include "rbd/error.hpp"
#include "rbd/image_arguments.hpp"
#include "rbd/image_work.hpp"
#include "rbd/progress.hpp"
#include "rbd/snapshot_arguments.hpp"

#include <cerrno>

#include <rbd/features.h>
#include <taskd/error.hpp>

/// `rbd/flatten`: the data that a clone shares with its parent are copied into it, and it becomes independent.
namespace taskd::rbd {
namespace {

using nlohmann::json;

constexpr std::string_view partly_flattened = "the clone is partly flattened and whole: flatten it again to finish";

bool has_parent(const Image& image) {
    rbd_linked_image_spec_t parent{};
    rbd_snap_spec_t snapshot{};
    const int rc = rbd_get_parent(image.handle(), &parent, &snapshot);
    if (rc == -ENOENT) return false;
    if (rc < 0) throw rbd_error(rc, "error getting parent info for image " + python_bytes(image.name()));
    rbd_linked_image_spec_cleanup(&parent);
    rbd_snap_spec_cleanup(&snapshot);
    return true;
}

/// @returns false when there is nothing left to do.
bool look(const OperationContext& context, const Image& image, const std::string& flattening) {
    if (!has_parent(image)) {
        if (context.is_repeated()) return false;
        throw rbd_error(-EINVAL, flattening, "it has no parent");
    }
    if (image.is_mirror_copy())
        throw rbd_error(-EROFS, flattening, "it is the copy of a mirrored image: flatten it at its primary site");
    if ((image.features() & RBD_FEATURE_MIGRATING) != 0)
        throw rbd_error(-EBUSY, flattening, "it is being migrated: commit or abort the migration first");
    return true;
}

json run_flatten(OperationContext& context, const json& arguments) {
    ImageWork work(context, arguments);
    work.find();
    const auto flattening = "error flattening " + python_bytes(work.target().name);
    context.step("look at the image");
    if (!look(context, work.open(Image::Mode::read_only), flattening)) return nullptr;
    context.step("flatten");
    work.stop_if_requested(flattening, "nothing was changed");
    const auto image = work.open(Image::Mode::read_write);
    const auto objects = image.object_count();
    Progress progress(context, objects);
    progress.begin_part(objects);
    const int rc = rbd_flatten_with_progress(image.handle(), Progress::callback, &progress);
    if (rc == -ECANCELED) throw rbd_error(rc, flattening, partly_flattened);
    if (rc < 0) throw rbd_error(rc, flattening);
    progress.end_part();
    return nullptr;
}

}  // namespace

const Operation flatten_operation{
    .name = "rbd/flatten",
    .wait_for = std::chrono::seconds(2),
    .permission = {"rbd-image", Access::update},
    .decode = decode_image_only,
    .metadata = metadata_of_image,
    .touches = touches_of_image,
    .run = run_flatten,
    .interrupted = "goes on with what is left; a clone without parent counts as flattened",
    .bound_image = image_spec_of,
    .left_behind = partly_flattened,
};

}  // namespace taskd::rbd
