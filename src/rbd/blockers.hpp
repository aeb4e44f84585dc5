#pragma once

#include "rbd/image.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>
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
        std::string obstacle = {};  ///< Why it cannot be flattened, where that was asked for.
    };

    std::vector<Watcher> watchers;
    std::uint64_t lock_owner = 0;  ///< Which of them holds the exclusive lock: its client id; 0 when none does.
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
    /// @param doing  What cannot be done, in the dashboard's words.
    Error refusal(const std::string& image, std::string_view doing = "error removing image") const;

    /// The members that are there, for a program.
    nlohmann::json to_json() const;
};

/// What is going to happen to the snapshots of an image that is removed.
enum class SnapshotPlan {
    remove,  ///< They are removed first: only those that cannot be are blockers.
    refuse,  ///< Each of them is a blocker.
    keep,    ///< The image goes to the trash with them, and its clones live on.
};

/// Looks at all that can stand in the way of removing an image.
/// @param image  Opened read-only, or the look itself would be a watcher.
/// @throws Error  also ETIMEDOUT when a pool does not answer that has to be asked for clones
/// @thread Any. Blocks.
Blockers find_blockers(Image& image, rados_ioctx_t pool, const ceph::Cluster& cluster, SnapshotPlan plan);

/// The clones of these snapshots of an image that is opened read-only.
/// @throws Error  as `find_blockers`
std::vector<Blockers::Clone> find_clones(Image& image, const std::vector<Snapshot>& snapshots, const std::string& ns,
                                         const ceph::Cluster& cluster);

/// "rbd/vm (of snapshot 's', in the trash with id 10ab)", at most five and how many more.
std::string describe(const std::vector<Blockers::Clone>& clones);

/// `[{"image_spec", "id", "trash", "snapshot"}]`, at most 100.
nlohmann::json to_json(const std::vector<Blockers::Clone>& clones);

/// "127.0.0.1:0/1 (client.4123, holds the exclusive lock)", at most five and how many more.
std::string describe(const std::vector<Watcher>& watchers, std::uint64_t lock_owner);

}  // namespace taskd::rbd
