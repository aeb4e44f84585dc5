#pragma once

#include "rbd/lister/wire.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace taskd::rbd {

/// All that is told of an image. Names are as stored: any bytes.
struct SnapshotDetails {
    struct Clone {
        std::string pool;
        std::string name;
        auto operator<=>(const Clone&) const = default;
    };
    std::uint64_t id = 0;
    std::string name;
    std::uint64_t size_bytes = 0;
    std::uint32_t type = 0;  ///< RBD_SNAP_NAMESPACE_TYPE_*
    bool is_protected = false;
    wire::Time created;
    std::string original_name;                ///< Of one in the trash.
    std::vector<Clone> clones;                ///< By pool and name; those in the trash are left out.
    std::optional<std::uint64_t> used_bytes;  ///< Written since the snapshot before.
};

struct ImageParent {
    std::string pool;
    std::string ns;
    std::string name;
    std::string id;
    std::string snapshot;
    bool is_in_trash = false;
};

struct ImageDetails {
    int format = 2;
    std::uint64_t size_bytes = 0;
    std::uint8_t order = 0;
    std::uint64_t objects = 0;
    std::string object_prefix;
    std::uint64_t features = 0;
    std::uint64_t flags = 0;
    std::uint64_t operation_features = 0;  ///< 0 in a list, as the times of access and change.
    std::uint64_t stripe_unit_bytes = 0;
    std::uint64_t stripe_count = 1;
    wire::Time created;
    wire::Time accessed;
    wire::Time modified;
    std::optional<std::string> data_pool;  ///< When it is another.
    std::optional<ImageParent> parent;
    std::uint64_t overlap_bytes = 0;         ///< Shared with the parent.
    std::vector<SnapshotDetails> snapshots;  ///< Oldest first.
    bool is_mirrored_by_snapshots = false;
    std::map<std::string, std::string> options;     ///< Of its own: metadata conf_*, without the prefix.
    std::optional<std::uint64_t> used_bytes;        ///< Of the image itself, snapshots not counted.
    std::optional<std::uint64_t> total_used_bytes;  ///< With its snapshots.
};

/// An image as a list has it.
struct ListedImage {
    enum class State {
        present,
        removing,    ///< Its removal began and has not ended: `trash` tells when.
        incomplete,  ///< It has a name and no header: just being made, or half made.
        broken,      ///< It cannot be read: `problem` tells why.
        silent,      ///< Its pool does not answer.
        gone,        ///< Removed since the list was made.
    };

    std::string pool;
    std::string ns;
    std::string name;
    std::string id;  ///< Empty: of format 1.
    State state = State::present;
    std::optional<ImageDetails> details;  ///< Of a present one.
    wire::Time deleted;                   ///< Of one that is being removed.
    int error = 0;                        ///< Positive errno of a broken or silent one.
    std::string problem;
};

}  // namespace taskd::rbd
