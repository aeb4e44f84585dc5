#pragma once

#include <nlohmann/json.hpp>

namespace taskd::rbd {

struct Limits;

/// For an operation that is told only the image: `image_spec` and `image_id`.
/// @throws BadRequest
nlohmann::json decode_image_only(const nlohmann::json& given, const Limits& limits);

/// `{"image_spec"}`
nlohmann::json metadata_of_image(const nlohmann::json& arguments);

}  // namespace taskd::rbd
