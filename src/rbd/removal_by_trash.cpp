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
void put_namesake_back(rados_ioctx_t pool, const std::string& name, Moment before_move) {
    try {
        for (const auto& record : trash_records(pool))
            if (record.is_being_removed && record.name == name && record.deleted >= before_move)
                rbd_trash_restore(pool, record.id.c_str(), name.c_str());
    } catch (const Error&) {
        return;  // whole, and in the trash
    }
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
    WatchedProgress progress{report, argument};
    // By force: its time has not come.
    const int rc = rbd_trash_remove_with_progress(pool, id.c_str(), true, WatchedProgress::callback, &progress);
    if (rc == -ENOENT) put_namesake_back(pool, name, before_move);
    const bool is_refused = rc == -EBUSY || rc == -ENOTEMPTY || rc == -EMLINK;
    if (is_refused && !progress.has_begun) rbd_trash_restore(pool, id.c_str(), name.c_str());
    return rc;
}

}  // namespace taskd::rbd
