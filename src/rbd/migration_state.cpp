#include "rbd/migration_state.hpp"

#include "rbd/error.hpp"

#include <cerrno>

namespace taskd::rbd {

std::optional<rbd_image_migration_state_t> migration_state(rados_ioctx_t pool, const std::string& name) {
    rbd_image_migration_status_t status{};
    const int rc = rbd_migration_status(pool, name.c_str(), &status, sizeof status);
    if (rc == -ENOENT || rc == -EINVAL) return std::nullopt;
    if (rc < 0) throw rbd_error(rc, "error getting migration status of image " + python_bytes(name));
    const auto state = status.state;
    rbd_migration_status_cleanup(&status);
    return state;
}

}  // namespace taskd::rbd
