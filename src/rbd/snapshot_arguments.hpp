#pragma once

#include "rbd/arguments.hpp"
#include "rbd/image.hpp"
#include "rbd/operation.hpp"

#include <string>

#include <nlohmann/json.hpp>

namespace taskd::rbd {

/// What the operations on one snapshot share.

/// Reads `image_spec`, `image_id` and `snapshot_name` of one that exists.
/// @throws BadRequest
void decode_snapshot(const Arguments& fields, nlohmann::json& result);

/// `{"image_spec", "snapshot_name"}`
nlohmann::json metadata_of_snapshot(const nlohmann::json& arguments);

/// The image of `image_spec`.
Touches touches_of_image(const nlohmann::json& arguments);

/// `b'snap' from b'image'`: a snapshot as the Python binding calls it when it creates or removes one.
std::string snapshot_from(const std::string& snapshot, const Image& image);

/// `b'image'@b'snap'`: the same when it protects one.
std::string image_at(const std::string& snapshot, const Image& image);

}  // namespace taskd::rbd
