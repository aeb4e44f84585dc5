#include "rbd/open_image.hpp"

#include "ceph/aio.hpp"

namespace taskd::rbd {

void CloseImage::operator()(rbd_image_t image) const noexcept {
    ceph::wait_for_callbacks(callbacks_.handle());
    rbd_close(image);
}

}  // namespace taskd::rbd
