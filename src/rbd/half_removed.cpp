#include "rbd/half_removed.hpp"

#include "rbd/directory.hpp"
#include "rbd/error.hpp"
#include "rbd/image.hpp"
#include "rbd/image_work.hpp"
#include "rbd/removal_by_trash.hpp"

#include <cerrno>

#include <taskd/error.hpp>

namespace taskd::rbd {
namespace {

int ignore_progress(std::uint64_t, std::uint64_t, void*) {
    return 0;
}

Error is_half_removed(const TrashRecord& remains, std::string_view doing) {
    return rbd_error(ErrorKind::conflict, -EEXIST, doing,
                     "the removal of the image that had this name (id " + remains.id +
                         ") has not ended: wait for it, or delete it again to finish");
}

/// It ended while it moved the image to the trash. Only the call by name that began it goes on from there.
int finish_move(rados_ioctx_t pool, const std::string& id, const std::string& name, librbd_progress_fn_t report,
                void* argument) {
    const auto named = id_of_image(pool, name);
    const auto record = half_removed_image(pool, name);
    if ((named && *named != id) || !record || record->id != id)
        throw rbd_error(ErrorKind::conflict, -EUCLEAN, removing_image,
                        "another image has its name now: rename that one, then delete this again");
    return record->source == TrashSource::removing ? rbd_remove_with_progress(pool, name.c_str(), report, argument)
                                                   : remove_by_trash(pool, id, name, report, argument);
}

}  // namespace

void refuse_half_removed(rados_ioctx_t pool, const std::string& name, std::string_view doing) {
    if (const auto remains = half_removed_image(pool, name)) throw is_half_removed(*remains, doing);
}

void free_half_removed(OperationContext& context, rados_ioctx_t pool, const std::string& name, std::string_view doing) {
    const auto remains = half_removed_image(pool, name);
    if (!remains) return;
    if (!context.is_repeated()) throw is_half_removed(*remains, doing);
    context.step("finish the removal of what had the name");
    // Two clients that trim one image make librbd abort its process.
    if (const auto image = Image::open_by_id(pool, remains->id, Image::Mode::read_only))
        if (!watchers_alive(context, *image).empty()) throw is_half_removed(*remains, doing);
    if (const int rc = remove_rest(pool, remains->id, name); rc < 0 && rc != -ENOENT)
        throw rbd_error(rc, removing_image);
}

int remove_half_restored(rados_ioctx_t pool, const std::string& id, std::string_view doing, librbd_progress_fn_t report,
                         void* argument) {
    const auto record = trash_record(pool, id);
    if (!record) return -ENOENT;
    if (record->state != TrashState::restoring) return -EBUSY;
    const auto name = name_of_image(pool, id).value_or(record->name);
    if (const auto other = id_of_image(pool, name); other && *other != id)
        throw rbd_error(ErrorKind::conflict, -EBUSY, doing,
                        "it was cut off while it was restored, and another image has its name now: restore it under a "
                        "new name, then delete it");
    if (const int rc = rbd_trash_restore(pool, id.c_str(), name.c_str()); rc < 0) return rc;
    return rbd_remove_with_progress(pool, name.c_str(), report, argument);
}

int remove_rest(rados_ioctx_t pool, const std::string& id, const std::string& name, librbd_progress_fn_t report,
                void* argument) {
    if (report == nullptr) report = ignore_progress;
    const int rc = remove_from_trash(pool, id, report, argument);
    if (rc == -EUCLEAN) return finish_move(pool, id, name, report, argument);
    if (rc == -EBUSY) return remove_half_restored(pool, id, removing_image, report, argument);
    return rc;
}

}  // namespace taskd::rbd
