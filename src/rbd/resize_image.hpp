#pragma once

#include "rbd/image.hpp"

#include <cstdint>
#include <string>

namespace taskd::rbd {

class OperationContext;

/// How an image is to get another size.
struct Resize {
    std::uint64_t size_bytes = 0;
    bool allow_shrink = false;  ///< What lies beyond a smaller size is lost.
};

/// Looks at all that is known to forbid it, before anything is changed.
/// @param image  Also one that is opened read-only.
/// @throws Error  conflict EINVAL: it would shrink and is not allowed to, `extra` has both sizes; refused EROFS, EINVAL
void check_resize(const Image& image, const Resize& resize);

/// Does it, if it is not done. What is trimmed is the progress.
/// @throws Error  ECANCELED too: the image has its old size and lacks part of what is beyond the new one
void resize_image(OperationContext& context, const Image& image, const Resize& resize);

/// For `Operation::left_behind` of whatever resizes.
inline constexpr std::string_view partly_shrunk =
    "the image still has its old size, and part of what lies beyond the new one is gone: shrink it again to finish";

}  // namespace taskd::rbd
