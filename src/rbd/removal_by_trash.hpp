#pragma once

#include "rbd/lister/header_wire.hpp"

#include <cstdint>
#include <string>

#include <rados/librados.h>
#include <rbd/librbd.h>

namespace taskd::rbd {

/// The removal of an image by librbd's two calls for the trash, a move there and a removal from it. `rbd_remove` does
/// the same, but opens the image twice more before it, and each opening takes 2.5 ms of a core. What it would see then
/// the caller has seen, and what has come between is seen here: the image gets its name back.
///
/// librbd lets only itself move an image to the trash as one being removed. Ours is there as a user's, kept for a time
/// that nobody asks for: that is its mark. Until then it has not expired for a purge. Such a one in the state `normal`
/// is whole, and can be restored.

constexpr std::int64_t removal_mark_seconds = 1'000'000'007;  ///< Some 31 years.

/// Whether what is in the trash is there only because its removal has begun, by us or by librbd.
/// @param source   RBD_TRASH_IMAGE_SOURCE_*
/// @param deleted, kept_until  Seconds since 1970.
bool is_being_removed(int source, std::int64_t deleted, std::int64_t kept_until) noexcept;
bool is_being_removed(const wire::TrashEntry& entry) noexcept;

/// @param id, name  Of one image without snapshots that nobody has open, as was just looked at.
/// @returns librbd's code. -EBUSY, -ENOTEMPTY, -EMLINK: it is in use, has a snapshot, or belongs to a group since that
///          look; it has its name again, unless that was taken. -ENOENT: it was not there, nor was any other image of
///          the name removed.
/// @thread  Any. Blocks.
int remove_by_trash(rados_ioctx_t pool, const std::string& id, const std::string& name, librbd_progress_fn_t report,
                    void* argument);

/// Removes an image from the trash, by force: whether or not its time has come. Once data may be gone nobody can
/// restore it: librbd sets it back to `normal`, whatever went wrong, and would let it be restored with holes.
/// @returns librbd's code
/// @thread  Any. Blocks.
int remove_from_trash(rados_ioctx_t pool, const std::string& id, librbd_progress_fn_t report, void* argument);

}  // namespace taskd::rbd
