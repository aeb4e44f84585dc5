#include "rbd/error.hpp"
#include "rbd/image_work.hpp"
#include "rbd/progress.hpp"
#include "rbd/snapshot_arguments.hpp"

#include <cerrno>

#include <taskd/error.hpp>

/// `rbd/snap/create`. librbd adds the snapshot to the header in one step, so there is no half-made one.
namespace taskd::rbd {
namespace {

using nlohmann::json;

json decode_snap_create(const json& given, const Limits&) {
    const Arguments fields(given, {"image_spec", "image_id", "snapshot_name", "mirrorImageSnapshot"});
    json result = json::object();
    decode_snapshot(fields, result);
    check_new_name(result["snapshot_name"].get_ref<const std::string&>(), "snapshot_name");
    const auto mirror = fields.optional_flag("mirrorImageSnapshot");
    if (!mirror) throw BadRequest("mirrorImageSnapshot", "is required");
    result["mirrorImageSnapshot"] = *mirror;
    return result;
}

json metadata_of_snap_create(const json& arguments) {
    json metadata = metadata_of_snapshot(arguments);
    metadata["mirrorImageSnapshot"] = arguments.at("mirrorImageSnapshot");
    return metadata;
}

bool is_mirrored_by_snapshots(const Image& image) {
    rbd_mirror_image_mode_t mode{};
    return image.is_mirrored() && rbd_mirror_image_get_mode(image.handle(), &mode) == 0 &&
           mode == RBD_MIRROR_IMAGE_MODE_SNAPSHOT;
}

void create_mirror_snapshot(const Image& image) {
    std::uint64_t id = 0;
    if (const int rc = rbd_mirror_image_create_snapshot2(image.handle(), 0, &id); rc < 0)
        throw rbd_error(rc, "error creating mirror snapshot for image " + python_bytes(image.name()),
                        rc == -EINVAL ? "its pool has no peer to mirror to" : "");
}

json run_snap_create(OperationContext& context, const json& arguments) {
    const auto& name = arguments.at("snapshot_name").get_ref<const std::string&>();
    ImageWork work(context, arguments);
    work.find();
    const auto image = work.open(Image::Mode::read_write);
    context.step("create snapshot");
    const auto creating = "error creating snapshot " + snapshot_from(name, image);
    work.stop_if_requested(creating, "nothing was made");
    if (arguments.at("mirrorImageSnapshot") == true && is_mirrored_by_snapshots(image)) {
        create_mirror_snapshot(image);
        return nullptr;
    }
    Progress progress(context, 1);
    progress.begin_part(1);
    const int rc = rbd_snap_create2(image.handle(), name.c_str(), 0, Progress::callback, &progress);
    if (rc == -EEXIST && context.is_repeated()) return nullptr;
    if (rc == -ECANCELED) throw rbd_error(rc, creating, "nothing was made");
    if (rc == -EROFS)
        throw rbd_error(rc, creating,
                        "it is the copy of a mirrored image, or an exclusive lock is held by a client "
                        "that does not let others write");
    if (rc < 0) throw rbd_error(rc, creating);
    return nullptr;
}

}  // namespace

const Operation snapshot_create_operation{
    .name = "rbd/snap/create",
    .wait_for = std::chrono::seconds(2),
    .permission = {"rbd-image", Access::create},
    .decode = decode_snap_create,
    .metadata = metadata_of_snap_create,
    .touches = touches_of_image,
    .run = run_snap_create,
    .interrupted = "a snapshot of that name counts as made; one of mirroring is made again",
};

}  // namespace taskd::rbd
