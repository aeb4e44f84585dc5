#pragma once

#include "rbd/arguments.hpp"
#include "rbd/image.hpp"
#include "rbd/image_spec.hpp"

#include <optional>
#include <string>

#include <nlohmann/json.hpp>

namespace taskd::rbd {

/// Where the image is that an operation is about.
struct ImageTarget {
    enum class State {
        gone,
        named,         ///< In the directory under `name`.
        half_removed,  ///< In the trash, its removal begun.
        in_trash,
        renamed,  ///< There, under another name than the one that was given.
    };
    State state = State::gone;
    std::string id;    ///< Empty for an image of format 1.
    std::string name;  ///< As the pool has it: any bytes.
    std::string why;   ///< gone, in_trash, renamed: what is known of it.
};

/// Reads `image_spec` (required) and `image_id`, the id that the image of this name must have, into the normal form.
/// With the id no other image is ever touched, and the name may be given as `is_meant` has it.
/// @throws BadRequest
void decode_image(const Arguments& fields, nlohmann::json& result);

/// `image_spec` of a normal form.
ImageSpec image_spec_of(const nlohmann::json& arguments);

/// @param id  Empty: whoever has the name now.
/// @throws Error
/// @thread Any. Blocks.
ImageTarget find_image(rados_ioctx_t pool, const ImageSpec& spec, const std::string& id);

/// nullopt when it cannot be opened (ENOENT): half made, or gone meanwhile.
std::optional<Image> open_target(rados_ioctx_t pool, const ImageTarget& target, Image::Mode mode);

}  // namespace taskd::rbd
