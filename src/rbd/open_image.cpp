#include "rbd/open_image.hpp"

#include "ceph/aio.hpp"

namespace taskd::rbd {

void CloseImage::operator()(rbd_image_t image) const noexcept {
    ceph::wait_for_callbacks(callbacks_.handle());
    rbd_close(image);
}

OpenImage open_image(rados_ioctx_t pool, OpenCall call, const std::string& image, int& rc) {
    rados_ioctx_t raw = nullptr;
    rc = rados_ioctx_create2(rados_ioctx_get_cluster(pool), rados_ioctx_get_id(pool), &raw);
    if (rc < 0) return {};
    CloseImage close{ceph::Ioctx(raw)};
    rbd_image_t opened = nullptr;
    rc = call(pool, image.c_str(), &opened, nullptr);
    return rc < 0 ? OpenImage{} : OpenImage(opened, std::move(close));
}

}  // namespace taskd::rbd
