#pragma once

#include "rbd/lister/directory_index.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace taskd::rbd {

/// Which part of a list is asked for, in the dashboard's words.
struct PageRequest {
    enum class Key { name, pool, ns };

    std::int64_t offset = 0;  ///< Negative: from the end, as Python's slices have it.
    std::int64_t limit = 5;   ///< -1: all.
    std::string search;       ///< Part of the name, the pool's name or the namespace.
    Key key = Key::name;
    bool descending = false;

    /// Takes `-name`, `+namespace`, ` pool_name`: whatever the first character is, '-' alone means descending; any
    /// other key is the name.
    /// @source  dashboard services/rbd.py `rbd_pool_list`
    void set_sort(std::string_view sort);
};

/// An image of the directories, not copied: points into what was read.
struct ImageRef {
    const Pool* pool = nullptr;
    const std::string* ns = nullptr;
    const std::string* name = nullptr;
    const std::string* id = nullptr;
    const wire::TrashEntry* removing = nullptr;  ///< Of a half-removed one.
};

/// What one namespace of a pool has. Kept alive for the references.
struct NamespaceContent {
    std::shared_ptr<const Pool> pool;
    std::string ns;
    std::shared_ptr<const DirectoryIndex::Names> names;
    std::shared_ptr<const DirectoryIndex::Trash> trash;
};

/// The images that the search finds, pool by pool: those of the directory, then half-removed ones. One that is in both,
/// as a removal leaves it for a moment, comes once.
std::vector<ImageRef> matching_images(const std::vector<NamespaceContent>& contents, std::string_view search);

/// Sorts and cuts the page out; equal ones keep their order.
std::vector<ImageRef> cut_page(std::vector<ImageRef> images, const PageRequest& request);

}  // namespace taskd::rbd
