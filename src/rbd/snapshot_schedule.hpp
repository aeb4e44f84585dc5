#pragma once

#include "rbd/image_spec.hpp"
#include "rbd/operation.hpp"

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace taskd::rbd {

/// When the mgr takes mirror snapshots of an image: a set of intervals, kept by its module rbd_support under the
/// image's id. The mgr takes the image by name, and only one that is mirrored by snapshots.
/// @thread  One. Every member asks the mgr and blocks, half a minute at most.
/// @source  mgr `rbd_support` 16.2.15: the commands `rbd mirror snapshot schedule add|remove|list`
class SnapshotSchedule {
  public:
    struct Item {
        std::string interval;                   ///< "30m", "1h", "2d"
        std::optional<std::string> start_time;  ///< "04:00:00"

        bool operator==(const Item&) const = default;
    };

    /// @param image  With the name that it has now.
    /// @throws Error  The mgr could not address an image of this name.
    SnapshotSchedule(OperationContext& context, const ImageSpec& image);

    /// Of the image itself: what its pool or namespace has is not among them.
    std::vector<Item> items(const std::string& image_id) const;
    /// One that is there already changes nothing.
    void add(const Item& item) const;
    void remove(const Item& item) const;
    /// Removes all; none is fine.
    void clear() const;

  private:
    std::string ask(const char* verb, nlohmann::json command) const;

    OperationContext& context_;
    std::string level_spec_;
};

}  // namespace taskd::rbd
