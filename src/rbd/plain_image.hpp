#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <rados/librados.h>

namespace taskd::rbd {

/// The data objects of an image that nothing keeps from being removed: it has no snapshots, is in no group, is neither
/// journaled nor migrating, and nobody has it locked or open. That it is open librbd sees too late: it takes the lock
/// before it looks, from a guest in the middle of its writes, and a guest that asks for it meanwhile is told that the
/// image is read-only. A read of the header and a call to its watchers, where opening the image takes eleven operations
/// and milliseconds of processor time for a copy of the configuration. nullopt: it takes a closer look.
/// @param id  Empty for an image of format 1, which is not plain.
/// @thread  Any. Blocks.
std::optional<std::uint64_t> objects_of_plain_image(rados_ioctx_t pool, const std::string& id);

}  // namespace taskd::rbd
