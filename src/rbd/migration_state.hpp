#pragma once

#include <optional>
#include <string>

#include <rados/librados.h>
#include <rbd/librbd.h>

namespace taskd::rbd {

/// How far the migration of an image is; nullopt when it is not being migrated, or not there.
/// @param name  The source's or the destination's.
/// @throws Error
/// @thread Any. Blocks.
std::optional<rbd_image_migration_state_t> migration_state(rados_ioctx_t pool, const std::string& name);

}  // namespace taskd::rbd
