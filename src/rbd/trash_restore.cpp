#include "ceph/cluster.hpp"
#include "rbd/directory.hpp"
#include "rbd/error.hpp"
#include "rbd/trash_arguments.hpp"

#include <cerrno>

#include <rbd/librbd.h>
#include <taskd/error.hpp>

/// `rbd/trash/restore`.
namespace taskd::rbd {
namespace {

using nlohmann::json;

constexpr std::string_view restoring = "error restoring image from trash";

json decode_trash_restore(const json& given, const Limits&) {
    const Arguments fields(given, {"image_id_spec", "new_image_name"});
    json result = json::object();
    decode_trash_entry(fields, result);
    result["new_image_name"] = fields.text("new_image_name");
    // Empty: the name it had.
    if (const auto& name = result["new_image_name"].get_ref<const std::string&>(); !name.empty())
        check_new_name(name, "new_image_name");
    return result;
}

json metadata_of_trash_restore(const json& arguments) {
    return {{"image_id_spec", arguments.at("image_id_spec")}, {"new_image_name", arguments.at("new_image_name")}};
}

Touches touches_of_trash_restore(const json& arguments) {
    const auto entry = image_id_spec_of(arguments);
    Touches touches{entry.pool, {entry.format()}};
    if (const auto& name = arguments.at("new_image_name").get_ref<const std::string&>(); !name.empty())
        touches.images.push_back(ImageSpec{entry.pool, entry.ns, name}.format());
    return touches;
}

/// Its move to the trash was cut off: the trash gives nothing back (EBUSY) before that has ended. Only a move by its
/// old name goes on from there.
void finish_move(rados_ioctx_t pool, const TrashRecord& record) {
    if (const auto other = id_of_image(pool, record.name); other && *other != record.id)
        throw rbd_error(ErrorKind::conflict, -EBUSY, restoring,
                        "it was cut off while it moved to the trash, and another image has its name now: rename that "
                        "one, then restore this again");
    const int rc = rbd_trash_move(pool, record.name.c_str(), 0);
    if (rc < 0 && rc != -ENOENT) throw rbd_error(rc, restoring);
}

json run_trash_restore(OperationContext& context, const json& arguments) {
    const auto entry = image_id_spec_of(arguments);
    const auto& wanted = arguments.at("new_image_name").get_ref<const std::string&>();
    const auto io = context.cluster().open_ioctx(entry.pool, entry.ns);
    context.step("look up the image");
    const auto record = trash_record(io.handle(), entry.id);
    if (!record) {
        const auto name = name_of_image(io.handle(), entry.id);
        if (name && context.is_repeated() && (wanted.empty() || *name == wanted)) return nullptr;
        throw rbd_error(
            -ENOENT, restoring,
            name ? "the image with the id " + entry.id + " is not in the trash, it is named '" + shown(*name) + "'"
                 : "the trash has no image with the id " + entry.id);
    }
    // What a removal of ours has only moved is whole.
    if (record->source == TrashSource::removing || record->state == TrashState::removing)
        throw rbd_error(-EINVAL, restoring, "its removal has begun: it can only be removed to the end");
    if (record->source == TrashSource::migration)
        throw rbd_error(-EBUSY, restoring, "it is the source of a migration: commit or abort that");
    const auto& name = wanted.empty() ? record->name : wanted;
    if (const auto other = id_of_image(io.handle(), name); other && *other != entry.id)
        throw rbd_error(-EEXIST, restoring,
                        "an image named '" + shown(name) + "' is there: restore it by another name");
    context.step("restore");
    if (context.stop_requested()) throw rbd_error(-ECANCELED, restoring, "nothing was changed");
    if (record->state == TrashState::moving) finish_move(io.handle(), *record);
    if (const int rc = rbd_trash_restore(io.handle(), entry.id.c_str(), wanted.c_str()); rc < 0)
        throw rbd_error(rc, restoring);
    return nullptr;
}

}  // namespace

const Operation trash_restore_operation{
    .name = "rbd/trash/restore",
    .wait_for = std::chrono::seconds(2),
    .permission = {"rbd-image", Access::create},
    .decode = decode_trash_restore,
    .metadata = metadata_of_trash_restore,
    .touches = touches_of_trash_restore,
    .run = run_trash_restore,
    .interrupted = "the image of that id under the name asked for counts as restored",
};

}  // namespace taskd::rbd
