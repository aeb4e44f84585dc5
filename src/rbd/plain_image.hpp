#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <rados/librados.h>

namespace taskd::rbd {

/// The data objects of an image that has no snapshots, is neither mirrored nor migrating, and of which librbd itself
/// sees in time all that can be in the way of its removal: that it is open, or in a group. One read of its header,
/// where opening it takes fifteen. nullopt: it takes a closer look.
/// @param id  Empty for an image of format 1, which is not plain.
/// @thread  Any. Blocks.
std::optional<std::uint64_t> objects_of_plain_image(rados_ioctx_t pool, const std::string& id);

}  // namespace taskd::rbd
