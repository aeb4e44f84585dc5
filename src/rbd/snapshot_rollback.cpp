#include "rbd/blockers.hpp"
#include "rbd/error.hpp"
#include "rbd/image_work.hpp"
#include "rbd/progress.hpp"
#include "rbd/snapshot_arguments.hpp"

#include <cerrno>

#include <taskd/error.hpp>

/// `rbd/snap/rollback`: the image gets the size and the data of one of its snapshots.
namespace taskd::rbd {
namespace {

using nlohmann::json;

constexpr std::string_view partly_rolled_back = "the image is partly rolled back: roll it back again";

json decode_snap_rollback(const json& given, const Limits&) {
    const Arguments fields(given, {"image_spec", "image_id", "snapshot_name", "force"});
    json result = json::object();
    decode_snapshot(fields, result);
    result["force"] = fields.optional_flag("force").value_or(false);
    return result;
}

/// librbd would wait for the lock and pull the data from under a running machine.
void refuse_users(OperationContext& context, rados_ioctx_t pool, const Image& image, const std::string& rolling_back) {
    Blockers blockers;
    blockers.watchers = watchers_alive(context, image);
    if (blockers.watchers.empty()) return;
    blockers.lock_owner = image.lock_owner(pool);
    throw rbd_error(-EBUSY, rolling_back,
                    "in use by " + describe(blockers.watchers, blockers.lock_owner) +
                        ": close it there, or say force to roll back what it has open",
                    {{"blockers", blockers.to_json()}});
}

json run_snap_rollback(OperationContext& context, const json& arguments) {
    const auto& name = arguments.at("snapshot_name").get_ref<const std::string&>();
    ImageWork work(context, arguments);
    work.find();
    context.step("look at the snapshot");
    std::string rolling_back;
    std::uint64_t objects = 0;
    {
        const auto image = work.open(Image::Mode::read_only);
        rolling_back = "error rolling back image " + python_bytes(image.name()) + " to snapshot " + python_bytes(name);
        if (!image.find_snapshot(name)) throw rbd_error(-ENOENT, rolling_back);
        if (image.is_mirror_copy())
            throw rbd_error(-EROFS, rolling_back, "it is the copy of a mirrored image: roll back its primary");
        if (arguments.at("force") == false) refuse_users(context, work.pool(), image, rolling_back);
        objects = image.object_count();
    }
    context.step("roll back");
    work.stop_if_requested(rolling_back, "nothing was changed");
    const auto image = work.open(Image::Mode::read_write);
    Progress progress(context, objects);
    progress.begin_part(objects);
    const int rc = rbd_snap_rollback_with_progress(image.handle(), name.c_str(), Progress::callback, &progress);
    if (rc == -ECANCELED) throw rbd_error(rc, rolling_back, partly_rolled_back);
    if (rc < 0) throw rbd_error(rc, rolling_back);
    return nullptr;
}

}  // namespace

const Operation snapshot_rollback_operation{
    .name = "rbd/snap/rollback",
    .wait_for = std::chrono::seconds(5),
    .permission = {"rbd-image", Access::update},
    .decode = decode_snap_rollback,
    .metadata = metadata_of_snapshot,
    .touches = touches_of_image,
    .run = run_snap_rollback,
    .interrupted = "is done again from the beginning",
    .bound_image = image_spec_of,
};

}  // namespace taskd::rbd
