#pragma once

#include "rbd/image.hpp"

#include <optional>
#include <string>
#include <vector>

#include <taskd/error.hpp>

namespace taskd::ceph {
class Cluster;
}

namespace taskd::rbd {

/// What keeps an image from being removed.
struct Blockers {
    struct Clone {
        std::string snapshot;
        bool of_protected = false;
        Child child;
    };

    std::vector<Watcher> watchers;
    bool is_mirror_copy = false;
    bool is_migrating = false;
    std::optional<std::string> group;  ///< `pool/group`
    std::vector<Clone> clones;
    std::vector<std::string> snapshots;  ///< Those that stay: not to be removed, or a group's.

    bool empty() const noexcept;

    /// The refusal with librbd's errno and words for the weightiest, and all of them behind:
    /// `[errno 16] RBD image is busy (error removing image): in use by 127.0.0.1:0/1 (client.4123)`. `extra` is
    /// `{"blockers": {…}}` with the members that are there.
    /// @param image  Its name, for the dashboard's text about a snapshot that cannot be unprotected.
    Error refusal(const std::string& image) const;
};

/// What is going to happen to the snapshots of an image that is removed.
enum class SnapshotPlan {
    remove,  ///< They are removed first: only those that cannot be are blockers.
    refuse,  ///< Each of them is a blocker.
    keep,    ///< The image goes to the trash with them, and its clones live on.
};

/// Looks at all that can stand in the way of removing an image.
/// @param image  Opened read-only, or the look itself would be a watcher.
/// @throws Error
/// @thread Any. Blocks.
Blockers find_blockers(Image& image, rados_ioctx_t pool, const ceph::Cluster& cluster, SnapshotPlan plan);

}  // namespace taskd::rbd
