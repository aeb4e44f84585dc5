#include "rbd/resize_image.hpp"

#include "rbd/error.hpp"
#include "rbd/operation.hpp"
#include "rbd/progress.hpp"

#include <cerrno>

#include <rbd/features.h>

namespace taskd::rbd {
namespace {

constexpr std::uint64_t most_objects_of_a_map = 256'000'000;  // cls_rbd refuses larger object maps

std::string resizing(const Image& image) {
    return "error resizing image " + python_bytes(image.name());
}

void refuse_to_shrink(const Image& image, std::uint64_t now, std::uint64_t asked) {
    throw rbd_error(ErrorKind::conflict, -EINVAL, resizing(image),
                    "it would shrink from " + std::to_string(now) + " to " + std::to_string(asked) +
                        " bytes and lose what lies beyond: say allow_shrink if that is meant",
                    {{"sizes", {{"now", now}, {"asked", asked}}}});
}

}  // namespace

void check_resize(const Image& image, const Resize& resize) {
    const auto now = image.size_bytes();
    if (resize.size_bytes == now) return;
    if (image.is_mirror_copy())
        throw rbd_error(-EROFS, resizing(image), "it is the copy of a mirrored image: resize its primary");
    if (resize.size_bytes < now && !resize.allow_shrink) refuse_to_shrink(image, now, resize.size_bytes);
    if ((image.features() & RBD_FEATURE_OBJECT_MAP) != 0 && resize.size_bytes >> image.order() >= most_objects_of_a_map)
        throw rbd_error(-EINVAL, resizing(image),
                        "more than the " + std::to_string(most_objects_of_a_map) +
                            " objects of an object map: disable object-map first");
}

void resize_image(OperationContext& context, const Image& image, const Resize& resize) {
    const auto now = image.size_bytes();
    if (resize.size_bytes == now) return;
    const auto trimmed = resize.size_bytes < now ? (now - resize.size_bytes) >> image.order() : 0;
    Progress progress(context, trimmed);
    progress.begin_part(trimmed);
    const int rc = rbd_resize2(image.handle(), resize.size_bytes, resize.allow_shrink, Progress::callback, &progress);
    if (rc == -ECANCELED) throw rbd_error(rc, resizing(image), partly_shrunk);
    // Somebody else has made it larger since it was looked at.
    if (rc == -EINVAL && !resize.allow_shrink && image.size_bytes() > resize.size_bytes)
        refuse_to_shrink(image, image.size_bytes(), resize.size_bytes);
    if (rc < 0) throw rbd_error(rc, resizing(image));
    progress.end_part();
}

}  // namespace taskd::rbd
