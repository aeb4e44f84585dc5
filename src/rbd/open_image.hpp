#pragma once

#include "ceph/cluster.hpp"

#include <memory>
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

/// Opens an image by one of librbd's calls.
/// @param pool  What `open` works on; need not outlive the image.
/// @param open  Gives librbd's return code and, unless that is negative, sets the image.
/// @param rc    Set to `open`'s return code, or to librados' when the pool is gone.
/// @returns Empty when `rc` is negative.
template <typename Open>
OpenImage open_image(rados_ioctx_t pool, Open&& open, int& rc) {
    rados_ioctx_t raw = nullptr;
    rc = rados_ioctx_create2(rados_ioctx_get_cluster(pool), rados_ioctx_get_id(pool), &raw);
    if (rc < 0) return {};
    CloseImage close{ceph::Ioctx(raw)};
    rbd_image_t image = nullptr;
    rc = open(&image);
    return rc < 0 ? OpenImage{} : OpenImage(image, std::move(close));
}

}  // namespace taskd::rbd
