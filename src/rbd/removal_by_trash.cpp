#include "rbd/removal_by_trash.hpp"

#include "rbd/directory.hpp"

#include <atomic>
#include <cerrno>
#include <chrono>

#include <taskd/error.hpp>

namespace taskd::rbd {
namespace {

/// Tells whether librbd has begun to remove data.
struct WatchedProgress {
    librbd_progress_fn_t report;
    void* argument;
    std::atomic<bool> has_begun = false;  ///< Reports come from any of librbd's threads.

    static int callback(std::uint64_t done, std::uint64_t total, void* self) {
        auto& progress = *static_cast<WatchedProgress*>(self);
        progress.has_begun = true;
        return progress.report(done, total, progress.argument);
    }
};

using Moment = std::chrono::system_clock::time_point;

/// Another image got the name right before the move, which goes by name. What was in the trash before that stays there.
void put_namesake_back(rados_ioctx_t pool, const std::string& id, const std::string& name, Moment before_move) {
    for (const auto& record : trash_records(pool))
        if (record.is_being_removed && record.id != id && record.name == name && record.deleted >= before_move)
            rbd_trash_restore(pool, record.id.c_str(), name.c_str());
}

/// Whether this image is what moved.
/// @returns 0, or -ENOENT when it was another, which has its name again
int check_move(rados_ioctx_t pool, const std::string& id, const std::string& name, Moment before_move) {
    try {
        const auto record = trash_record(pool, id);
        if (record && record->is_being_removed) return 0;
        put_namesake_back(pool, id, name, before_move);
        return -ENOENT;
    } catch (const Error& error) {
        return -error.errno_value();
    }
}

int remove_watched(rados_ioctx_t pool, const std::string& id, WatchedProgress& progress) {
    const int rc = rbd_trash_remove_with_progress(pool, id.c_str(), true, WatchedProgress::callback, &progress);
    if (rc < 0 && progress.has_begun) set_trash_state(pool, id, TrashState::removing, TrashState::normal);
    return rc;
}

}  // namespace

bool is_being_removed(int source, std::int64_t deleted, std::int64_t kept_until) noexcept {
    if (source == RBD_TRASH_IMAGE_SOURCE_REMOVING) return true;
    return source == RBD_TRASH_IMAGE_SOURCE_USER && kept_until - deleted == removal_mark_seconds;
}

bool is_being_removed(const wire::TrashEntry& entry) noexcept {
    return is_being_removed(entry.source, entry.deleted.seconds, entry.deferred_until.seconds);
}

int remove_by_trash(rados_ioctx_t pool, const std::string& id, const std::string& name, librbd_progress_fn_t report,
                    void* argument) {
    const auto before_move = std::chrono::system_clock::now();  // the clock that librbd takes
    if (const int rc = rbd_trash_move(pool, name.c_str(), removal_mark_seconds); rc < 0) return rc;
    if (const int rc = check_move(pool, id, name, before_move); rc < 0) return rc;
    WatchedProgress progress{report, argument};
    const int rc = remove_watched(pool, id, progress);
    const bool is_refused = rc == -EBUSY || rc == -ENOTEMPTY || rc == -EMLINK;
    if (is_refused && !progress.has_begun) rbd_trash_restore(pool, id.c_str(), name.c_str());
    return rc;
}

int remove_from_trash(rados_ioctx_t pool, const std::string& id, librbd_progress_fn_t report, void* argument) {
    WatchedProgress progress{report, argument};
    try {
        const auto record = trash_record(pool, id);
        progress.has_begun = record && record->state == TrashState::removing;
    } catch (const Error& error) {
        return -error.errno_value();
    }
    return remove_watched(pool, id, progress);
}

}  // namespace taskd::rbd
