#pragma once

#include "rbd/lister/image_details.hpp"

#include <string>

#include <nlohmann/json.hpp>
#include <rados/librados.h>

namespace taskd::test {

/// All that librbd tells of an image that it opens by name, for comparison with what the lister tells.
/// @throws std::runtime_error when librbd refuses
nlohmann::json librbd_view(rados_ioctx_t pool, const std::string& name, bool with_usage);

/// What the lister told, in the same form.
nlohmann::json view_of(const rbd::ListedImage& image);

}  // namespace taskd::test
