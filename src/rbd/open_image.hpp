#pragma once

#include "ceph/cluster.hpp"

#include <memory>
#include <string>
#include <utility>

#include <rbd/librbd.h>

namespace taskd::rbd {

/// Closes an image of librbd once every callback that librados had begun has returned.
///
/// Whoever waits for librbd's open is woken out of a callback that afterwards takes a lock of the image, or of its
/// parent, once more. An image that is open for writing ends its watch when it is closed and thereby waits for that
/// callback; a read-only one does not, and would be freed under its feet: the callback then waits for ever in memory
/// that is no lock any more, and with it every operation of the client (seen with clones, librbd 16.2.15).
class CloseImage {
  public:
    using pointer = rbd_image_t;

    CloseImage() = default;
    explicit CloseImage(ceph::Ioctx callbacks) noexcept : callbacks_(std::move(callbacks)) {}

    /// Blocks for the callbacks and then for librbd.
    void operator()(rbd_image_t image) const noexcept;

  private:
    ceph::Ioctx callbacks_{nullptr};  ///< Of its own: nobody's operations are waited for, and it is there to the end.
};
using OpenImage = std::unique_ptr<void, CloseImage>;

/// `rbd_open`, `rbd_open_read_only`, or either of them by the image's id.
using OpenCall = int (*)(rados_ioctx_t pool, const char* image, rbd_image_t* opened, const char* snapshot);

/// Opens the head of an image; blocks for the cluster.
/// @param pool   Need not outlive the image.
/// @param image  Its name or its id, as `call` takes it.
/// @param rc     Set to librbd's return code, or to librados' when the pool is gone.
/// @returns Empty when `rc` is negative.
OpenImage open_image(rados_ioctx_t pool, OpenCall call, const std::string& image, int& rc);

}  // namespace taskd::rbd
