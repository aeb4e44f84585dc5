#pragma once

#include "ceph/cluster.hpp"
#include "rbd/image_spec.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace taskd::rbd {

/// What is known of an image without opening it.
struct ImageFacts {
    std::string id;
    std::uint64_t objects = 0;  ///< Data objects that it may have; 0 when its header could not be read.
    bool has_object_map = false;

    /// Whether its removal keeps an OSD busy for many seconds: without object map every object is asked for.
    bool is_slow_to_remove() const noexcept;
};

/// Asks who has this name now; `done` gets nothing when nobody has or the pool cannot tell.
/// @returns  What gives the look-up up: a pool that does not answer must not keep it for ever. `done` comes all the
///           same. Any thread, any time, more than once.
/// @thread  Any. Never blocks; `done` comes on a thread of librados, or inside the call.
/// @source  cls_rbd methods dir_get_id (rbd_directory), get_size and get_features (rbd_header.ID)
std::function<void()> look_up_image(const std::shared_ptr<ceph::Cluster>& cluster, const ImageSpec& image,
                                    std::function<void(std::optional<ImageFacts> facts)> done);

/// The same of the image with this id, whatever its name and also in the trash. That of one without header, or that is
/// gone, comes with nothing but the id.
std::function<void()> look_up_image(const std::shared_ptr<ceph::Cluster>& cluster, const ImageIdSpec& image,
                                    std::function<void(std::optional<ImageFacts> facts)> done);

}  // namespace taskd::rbd
