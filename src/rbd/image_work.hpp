#pragma once

#include "ceph/cluster.hpp"
#include "rbd/image_target.hpp"
#include "rbd/operation.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace taskd::rbd {

/// What the operations on one image that is there share: its pool, finding it, opening it, and stopping in time.
/// Arguments: those of `decode_image`.
class ImageWork {
  public:
    /// @throws Error  of component "pool": there is no such pool
    ImageWork(OperationContext& context, const nlohmann::json& arguments);

    /// Looks it up, also in a pool that was made anew under the name.
    /// @throws Error  `[errno 2] RBD image not found (CONTEXT)` unless it has the name that was given
    void find(std::string_view context);
    /// The same in the words for an image that is opened: `error opening image b'x' at snapshot None`.
    void find();

    /// @throws Error  as `find()` when it is gone or cannot be opened
    Image open(Image::Mode mode) const;

    /// @throws Error ECANCELED  once a stop is requested
    void stop_if_requested(std::string_view context, std::string_view what_is_left) const;

    const ImageSpec& spec() const noexcept { return spec_; }
    const ImageTarget& target() const noexcept { return target_; }
    rados_ioctx_t pool() const noexcept { return io_.handle(); }

  private:
    std::string opening() const;

    OperationContext& context_;
    ImageSpec spec_;
    std::string id_;
    ceph::Ioctx io_;
    ImageTarget target_;
};

/// Who has the image open. A repeated attempt waits, up to 40 s, for watches to go: that of an earlier attempt's dead
/// process lasts 30 s unless it was fenced.
std::vector<Watcher> watchers_alive(OperationContext& context, const Image& image);

}  // namespace taskd::rbd
