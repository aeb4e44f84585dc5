#include "rbd/snapshot_removal.hpp"

#include "rbd/error.hpp"
#include "rbd/progress.hpp"

#include <algorithm>
#include <cerrno>

namespace taskd::rbd {

std::vector<Snapshot> removable_snapshots(const Image& image) {
    auto snapshots = image.snapshots();
    std::erase_if(snapshots, [](const Snapshot& snapshot) {
        return snapshot.type != RBD_SNAP_NAMESPACE_TYPE_USER && snapshot.type != RBD_SNAP_NAMESPACE_TYPE_TRASH;
    });
    return snapshots;
}

void remove_snapshot(Image& image, const Snapshot& snapshot, Progress& progress) {
    progress.begin_part(objects_per_snapshot);
    int rc = 0;
    if (snapshot.type == RBD_SNAP_NAMESPACE_TYPE_USER)
        rc = rbd_snap_remove2(image.handle(), snapshot.name.c_str(),
                              snapshot.is_protected ? RBD_SNAP_REMOVE_UNPROTECT : 0, Progress::callback, &progress);
    else
        rc = rbd_snap_remove_by_id(image.handle(), snapshot.id);
    if (rc < 0 && rc != -ENOENT)
        throw rbd_error(
            rc, "error removing snapshot " + python_bytes(snapshot.name) + " from " + python_bytes(image.name()));
    progress.end_part();
}

}  // namespace taskd::rbd
