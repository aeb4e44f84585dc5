#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <rados/librados.h>

namespace taskd::rbd {

/// The data objects of an image that has no snapshots, is neither journaled nor migrating, whose lock nobody has, and
/// of which librbd itself sees in time all that can be in the way of its removal: that it is open, or in a group. Of
/// one that is locked it does not: it takes the lock from a guest, in the middle of its writes, before it looks who has
/// the image open. One read of its header, where opening it takes eleven, and milliseconds of processor time for a copy
/// of the configuration. nullopt: it takes a closer look.
/// @param id  Empty for an image of format 1, which is not plain.
/// @thread  Any. Blocks.
std::optional<std::uint64_t> objects_of_plain_image(rados_ioctx_t pool, const std::string& id);

}  // namespace taskd::rbd
