#pragma once

#include "rbd/lister/header_wire.hpp"
#include "rbd/lister/image_details.hpp"
#include "rbd/lister/object_map.hpp"
#include "rbd/lister/pool_map.hpp"
#include "rbd/lister/reader.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace taskd::rbd {

/// What the images of one answer share.
struct ReadingContext {
    std::shared_ptr<const PoolMap> pools;
    /// Whether to tell what images use, from their object maps, where these can be trusted.
    bool wants_usage = true;
    /// Whether to tell what a list does not show: times of access and change, features of operations.
    bool wants_all = false;
    /// Pools and namespaces in which images may be mirrored.
    std::set<std::pair<std::int64_t, std::string>> mirrored;
    /// Pools of which it was found that they hold no clones of format 1.
    std::set<std::int64_t> without_children;

    /// What parents have of the bytes that their clones share: read once however many clones there are.
    struct SharedExtents {
        bool is_known = false;
        std::optional<Extents> extents;
        std::vector<std::function<void(const std::optional<Extents>&)>> waiting;
    };
    std::map<std::pair<wire::ParentSpec, std::uint64_t>, SharedExtents> extents_of_parents;
};

/// Reads all that is told of an image, by a few reads of its objects and without opening it.
/// @param image  Pool, namespace, name and, unless it is of format 1, id.
/// @param done   Called once, with the state that was found and, of a present image, the details. What another pool
///               has to tell (a parent's name, clones) is left out when that pool does not answer.
/// @thread  The reader's.
void read_image(Reader& reader, std::shared_ptr<ReadingContext> context, std::shared_ptr<const Pool> pool,
                ListedImage image, std::function<void(ListedImage)> done);

}  // namespace taskd::rbd
