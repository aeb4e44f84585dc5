#pragma once

#include "rbd/lister/wire.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace taskd::rbd::wire {

/// Inputs and answers of the methods of the object classes `rbd` and, of images' locks, `lock`, method by method; each
/// decoder gives nullopt for bytes that are no such answer.
/// @source  Ceph `src/cls/rbd/cls_rbd.cc`, `cls_rbd_types.h`, `src/cls/lock/cls_lock_ops.h`; docs/rbd-wire-format.md

/// Stands for the image itself where a snapshot's id is asked for.
constexpr std::uint64_t no_snapshot = 0xFFFF'FFFF'FFFF'FFFE;

std::string snapshot_input(std::uint64_t snapshot);
std::string features_input(std::uint64_t snapshot);  ///< Read-only: what a reader must know.
std::string text_input(std::string_view text);
/// Of metadata_list, dir_list, namespace_list and mirror_peer_list: up to `most` entries that come after `after`.
std::string list_input(std::string_view after, std::uint64_t most);

struct SizeAndOrder {
    std::uint8_t order = 0;
    std::uint64_t size_bytes = 0;
};
std::optional<SizeAndOrder> decode_size(std::string_view answer);

/// Of get_features (the first of two), get_flags and op_features_get.
std::optional<std::uint64_t> decode_u64(std::string_view answer);
std::optional<std::int64_t> decode_i64(std::string_view answer);
std::optional<std::uint8_t> decode_u8(std::string_view answer);
/// Of get_object_prefix, get_id and dir_get_name.
std::optional<std::string> decode_text(std::string_view answer);
std::optional<Time> decode_time(std::string_view answer);

/// The ids of get_snapcontext, newest first.
std::optional<std::vector<std::uint64_t>> decode_snapshot_ids(std::string_view answer);

struct Striping {
    std::uint64_t unit_bytes = 0;
    std::uint64_t count = 0;
};
std::optional<Striping> decode_striping(std::string_view answer);

struct ParentSpec {
    std::int64_t pool = -1;  ///< -1: there is none.
    std::string ns;
    std::string image_id;
    std::uint64_t snapshot = no_snapshot;

    auto operator<=>(const ParentSpec&) const = default;
};
std::optional<ParentSpec> decode_parent(std::string_view answer);
/// Of parent_overlap_get: bytes, 0 when it says that there is no parent.
std::optional<std::uint64_t> decode_overlap(std::string_view answer);

/// Of metadata_list.
std::optional<std::map<std::string, std::string>> decode_metadata(std::string_view answer);
/// Of namespace_list and get_children.
std::optional<std::vector<std::string>> decode_texts(std::string_view answer);

/// What a snapshot is for, with the numbers of librbd's RBD_SNAP_NAMESPACE_TYPE_*.
enum class SnapshotType : std::uint32_t { user = 0, group = 1, trash = 2, mirror = 3 };

struct SnapshotHeader {
    std::uint64_t id = 0;
    SnapshotType type = SnapshotType::user;
    std::string name;
    std::uint64_t size_bytes = 0;
    Time created;
    std::uint32_t clones = 0;   ///< Of format 2.
    std::string original_name;  ///< Of one in the trash, kept because it has clones; empty otherwise.
    std::int64_t group_pool = -1;
    std::string group_id;
    std::string group_snapshot_id;
};
/// Of snapshot_get.
std::optional<SnapshotHeader> decode_snapshot(std::string_view answer);

/// Of get_protection_status: 0 unprotected, 1 being unprotected, 2 protected.
constexpr std::uint8_t is_protected_status = 2;

struct ChildSpec {
    std::int64_t pool = -1;
    std::string ns;
    std::string image_id;

    auto operator<=>(const ChildSpec&) const = default;
};
/// Of children_list: clones of format 2.
std::optional<std::vector<ChildSpec>> decode_children(std::string_view answer);
/// Input of get_children: clones of format 1, asked of each pool's rbd_children.
std::string children_input(const ParentSpec& parent);

struct TrashEntry {
    std::uint8_t source = 0;  ///< RBD_TRASH_IMAGE_SOURCE_*
    std::string name;
    Time deleted;
    Time deferred_until;
    std::uint8_t state = 0;  ///< cls::rbd::TrashImageState; 0 where an old client wrote it.
};
/// A value of rbd_trash's omap, and the answer of trash_get.
std::optional<TrashEntry> decode_trash(std::string_view value);

/// Whether a value of rbd_mirroring's omap under `image_ID` is of an image mirrored by snapshots.
std::optional<bool> decode_is_snapshot_mirrored(std::string_view value);

constexpr std::int64_t no_group = -1;
/// Of image_group_get: where the group is that the image is in.
std::optional<std::int64_t> decode_group_pool(std::string_view answer);

/// Of `lock` get_info. An image's lock is named "rbd_lock", whoever took it: librbd or `rbd lock add`.
std::string lock_info_input(std::string_view name);
/// How many have it.
std::optional<std::uint32_t> decode_lock_holders(std::string_view answer);

/// How many watchers of an object a notification was for, whether they answered it or not.
std::optional<std::uint64_t> decode_notified(std::string_view reply);

}  // namespace taskd::rbd::wire
