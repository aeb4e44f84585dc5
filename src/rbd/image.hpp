#pragma once

#include "rbd/open_image.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <rados/librados.h>
#include <rbd/librbd.h>

namespace taskd::rbd {

/// Who has an image open for writing.
struct Watcher {
    std::string address;       ///< "127.0.0.1:0/1234"
    std::uint64_t client = 0;  ///< The Ceph client id: `client.4123` is 4123.
    std::uint64_t cookie = 0;

    bool operator==(const Watcher&) const = default;
};

struct Snapshot {
    std::uint64_t id = 0;
    std::string name;
    std::uint64_t size_bytes = 0;
    rbd_snap_namespace_type_t type = RBD_SNAP_NAMESPACE_TYPE_USER;
    bool is_protected = false;  ///< Only of user snapshots.
};

/// An image cloned from a snapshot.
struct Child {
    std::string spec;  ///< `pool[/namespace]/name`
    std::string id;
    bool in_trash = false;
    std::string pool;
    std::string ns;
};

/// An open image; closes itself.
///
/// Every member that asks the cluster throws `Error` with librbd's text.
/// @thread  One at a time. All members block.
class Image {
  public:
    enum class Mode {
        read_only,   ///< No watch: what is read may become stale, but the look leaves no trace.
        read_write,  ///< A watcher from here on: others see the image as in use.
    };

    /// nullopt when there is none that can be opened (ENOENT).
    /// @throws Error
    static std::optional<Image> open(rados_ioctx_t pool, const std::string& name, Mode mode);
    static std::optional<Image> open_by_id(rados_ioctx_t pool, const std::string& id, Mode mode);

    rbd_image_t handle() const noexcept { return image_.get(); }
    const std::string& name() const noexcept { return name_; }

    std::uint64_t size_bytes() const;
    std::uint64_t object_count() const;
    int order() const;
    std::uint64_t features() const;
    std::uint64_t stripe_unit() const;
    std::uint64_t stripe_count() const;
    /// The pool's own id when there is no separate data pool.
    std::int64_t data_pool_id() const;

    std::vector<Snapshot> snapshots() const;
    /// Whether it has clones of format 2, which leave their snapshots unprotected; asks no other pool.
    bool has_clones_of_format_2() const;
    /// Of all snapshots. Looks into every pool of the cluster, so a sick one can make it hang.
    std::vector<Child> children() const;
    /// Of this snapshot; leaves the image set to it: for read-only looks.
    std::vector<Child> children_of(std::uint64_t snapshot);
    /// Includes this handle's own watch.
    std::vector<Watcher> watchers() const;
    /// The client that holds the exclusive lock, 0 when none does.
    /// @param pool  The image's own.
    std::uint64_t lock_owner(rados_ioctx_t pool) const;

    /// The snapshot of users by this name.
    std::optional<Snapshot> find_snapshot(const std::string& name) const;

    struct Group {
        std::string name;
        std::int64_t pool_id = -1;
    };
    std::optional<Group> group() const;

    bool is_mirrored() const;
    /// Mirrored, and by snapshots in place of the journal.
    bool is_mirrored_by_snapshots() const;
    /// Mirrored, and another site is its primary.
    bool is_mirror_copy() const;

    void set_metadata(const std::string& key, const std::string& value);
    void enable_mirroring(rbd_mirror_image_mode_t mode);

  private:
    Image(OpenImage image, std::string name);

    rbd_image_info_t stat() const;

    OpenImage image_;
    std::string name_;
};

}  // namespace taskd::rbd
