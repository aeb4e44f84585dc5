#include "rbd/trash_removal.hpp"

#include "rbd/blockers.hpp"
#include "rbd/directory.hpp"
#include "rbd/error.hpp"
#include "rbd/half_removed.hpp"
#include "rbd/image_work.hpp"
#include "rbd/progress.hpp"
#include "rbd/removal_by_trash.hpp"
#include "rbd/snapshot_removal.hpp"
#include "rbd/trash_arguments.hpp"

#include <cerrno>
#include <chrono>
#include <utility>

#include <taskd/clock.hpp>
#include <taskd/error.hpp>

namespace taskd::rbd {
namespace {

constexpr std::string_view rest_is_left = "the image is half removed; remove it again to finish";

}  // namespace

TrashRemoval::TrashRemoval(OperationContext& context, rados_ioctx_t pool, std::string id, Snapshots snapshots)
    : context_(context), pool_(pool), id_(std::move(id)), plan_(snapshots) {}

void TrashRemoval::check_time(bool force) const {
    const auto end =
        std::chrono::system_clock::time_point(std::chrono::seconds(deferment_end(pool_, id_, deleting_from_trash)));
    if (force || end <= std::chrono::system_clock::now()) return;
    throw rbd_error(-EPERM, deleting_from_trash,
                    "it is kept until " + format_utc(end) + ": say force to remove it now");
}

void TrashRemoval::check(bool force) {
    check_time(force);
    // What cannot be opened is half removed: nothing can be in its way, and librbd clears it.
    auto image = Image::open_by_id(pool_, id_, Image::Mode::read_only);
    if (!image) return;
    objects_ = image->object_count();
    const auto plan = plan_ == Snapshots::remove ? SnapshotPlan::remove : SnapshotPlan::refuse;
    auto blockers = find_blockers(*image, pool_, context_.cluster(), plan);
    if (!blockers.watchers.empty() && context_.is_repeated()) blockers.watchers = watchers_alive(context_, *image);
    if (!blockers.empty()) throw blockers.refusal(image->name(), deleting_from_trash);
    snapshots_ = removable_snapshots(*image);
}

std::uint64_t TrashRemoval::weight() const noexcept {
    return objects_ + snapshots_.size() * objects_per_snapshot;
}

void TrashRemoval::run(Progress& progress) {
    if (!snapshots_.empty())
        if (auto image = Image::open_by_id(pool_, id_, Image::Mode::read_write))
            for (const auto& snapshot : snapshots_) {
                if (context_.stop_requested()) throw rbd_error(-ECANCELED, deleting_from_trash, "the image is whole");
                remove_snapshot(*image, snapshot, progress);
            }
    progress.begin_part(objects_);
    int rc = remove_from_trash(pool_, id_, Progress::callback, &progress);
    if (rc == -EUCLEAN) rc = remove_entry(progress);
    if (rc == -EBUSY) rc = remove_half_restored(pool_, id_, deleting_from_trash, Progress::callback, &progress);
    if (rc == -ENOENT && context_.is_repeated()) rc = 0;
    if (rc == -ECANCELED) throw rbd_error(rc, deleting_from_trash, rest_is_left);
    if (rc < 0) throw rbd_error(rc, deleting_from_trash);
    progress.end_part();
}

/// Its move to the trash was cut off. Only a move by name goes on from there.
int TrashRemoval::remove_entry(Progress& progress) const {
    const auto record = trash_record(pool_, id_);
    if (!record) return -ENOENT;
    if (const auto other = id_of_image(pool_, record->name); other && *other != id_)
        throw rbd_error(ErrorKind::conflict, -EUCLEAN, deleting_from_trash,
                        "it was cut off while it moved to the trash, and another image has its name now: rename that "
                        "one, then remove this again");
    if (const int rc = rbd_trash_move(pool_, record->name.c_str(), 0); rc < 0) return rc;
    return remove_from_trash(pool_, id_, Progress::callback, &progress);
}

}  // namespace taskd::rbd
