#include "ceph/cluster.hpp"
#include "rbd/directory.hpp"
#include "rbd/error.hpp"
#include "rbd/progress.hpp"
#include "rbd/trash_arguments.hpp"
#include "rbd/trash_removal.hpp"

#include <cerrno>

#include <taskd/error.hpp>

/// `rbd/trash/remove`: removes one image of the trash for good, also one whose removal was cut off.
namespace taskd::rbd {
namespace {

using nlohmann::json;

json decode_trash_remove(const json& given, const Limits&) {
    const Arguments fields(given, {"image_id_spec", "force", "snapshots"});
    json result = json::object();
    decode_trash_entry(fields, result);
    result["force"] = fields.optional_flag("force").value_or(false);
    result["snapshots"] = fields.choice("snapshots", {"refuse", "remove"});
    return result;
}

json run_trash_remove(OperationContext& context, const json& arguments) {
    const auto entry = image_id_spec_of(arguments);
    const auto io = context.cluster().open_ioctx(entry.pool, entry.ns);
    context.step("look for what is in the way");
    if (context.is_repeated() && !trash_record(io.handle(), entry.id)) return nullptr;
    const auto plan =
        arguments.at("snapshots") == "remove" ? TrashRemoval::Snapshots::remove : TrashRemoval::Snapshots::refuse;
    TrashRemoval removal(context, io.handle(), entry.id, plan);
    removal.check(arguments.at("force").get<bool>());
    context.step("remove image");
    if (context.stop_requested()) throw rbd_error(-ECANCELED, "error deleting image from trash", "nothing was removed");
    Progress progress(context, removal.weight());
    removal.run(progress);
    return nullptr;
}

}  // namespace

const Operation trash_remove_operation{
    .name = "rbd/trash/remove",
    .wait_for = std::chrono::seconds(2),
    .permission = {"rbd-image", Access::remove},
    .decode = decode_trash_remove,
    .metadata = metadata_of_trash_entry,
    .touches = touches_of_trash_entry,
    .run = run_trash_remove,
    .interrupted = "goes on with what is left; an image that is not in the trash any more counts as removed",
    .image_by_id = image_id_spec_of,
};

}  // namespace taskd::rbd
