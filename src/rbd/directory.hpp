#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <rados/librados.h>

namespace taskd::rbd {

/// The pool's own records of names, ids and what is being removed, read without opening an image: an image that is half
/// made or half removed cannot be opened, yet it is here. librbd's C API has no call for these.
///
/// @source Ceph `cls/rbd/cls_rbd.cc` (methods dir_get_id, dir_get_name; object rbd_directory; trash_get,
///         trash_state_set; object rbd_trash) and
///         `cls/rbd/cls_rbd_types.h` (TrashImageSpec; omap of object rbd_trash), the same from Ceph 12 to 20.
/// @thread  Any. All block.

/// The id of the image of that name, nullopt when the pool has none.
/// @throws Error
std::optional<std::string> id_of_image(rados_ioctx_t pool, const std::string& name);

/// The name of the image of that id, nullopt when the pool has none.
/// @throws Error
std::optional<std::string> name_of_image(rados_ioctx_t pool, const std::string& id);

enum class TrashSource : std::uint8_t { user = 0, mirroring = 1, migration = 2, removing = 3, user_parent = 4 };

/// How far what was begun with it has come.
enum class TrashState : std::uint8_t { normal = 0, moving = 1, removing = 2, restoring = 3 };

struct TrashRecord {
    std::string id;
    std::string name;
    TrashSource source = TrashSource::user;
    TrashState state = TrashState::normal;
    std::chrono::system_clock::time_point deleted;
    bool is_being_removed = false;  ///< Whoever began: librbd has a source for it, we a mark.
};

/// Everything in the trash, half-removed images included: of these `rbd_trash_list` leaves out librbd's own.
/// @throws Error
std::vector<TrashRecord> trash_records(rados_ioctx_t pool);

/// The trash's record of this id.
/// @throws Error
std::optional<TrashRecord> trash_record(rados_ioctx_t pool, const std::string& id);

/// Sets a state, if it has the one expected. For what librbd leaves undone.
/// @returns  librados' code
int set_trash_state(rados_ioctx_t pool, const std::string& id, TrashState state, TrashState expected) noexcept;

/// An image of this name whose removal began and did not end.
/// @throws Error
std::optional<TrashRecord> half_removed_image(rados_ioctx_t pool, const std::string& name);

}  // namespace taskd::rbd
