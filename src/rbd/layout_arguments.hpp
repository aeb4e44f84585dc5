#pragma once

#include "rbd/arguments.hpp"
#include "rbd/create_image.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace taskd::rbd {

/// The fields by which a request says how an image is to be made, the same for create, copy and clone: `obj_size`,
/// `features`, `stripe_unit`, `stripe_count`, `data_pool`, `configuration`. Add them to the known ones of `Arguments`.

/// Checks them and puts those that are given into `result`, in the normal form.
/// @throws BadRequest
void decode_layout(const Arguments& fields, nlohmann::json& result);

/// The same for `features` and `configuration` alone.
void decode_features_and_configuration(const Arguments& fields, nlohmann::json& result);

/// A list of features in this field, and the mask of what a normal form has there.
void decode_features(const Arguments& fields, const char* field, nlohmann::json& result);
std::optional<std::uint64_t> features_of(const nlohmann::json& arguments, const char* field);

/// What a normal form asks for; its size is `size` where there is one, else 0.
ImageLayout layout_of(const nlohmann::json& arguments);

/// The namespace of a new image, in the normal form: null or text, as it was given.
/// @throws BadRequest
nlohmann::json decode_namespace(const Arguments& fields, std::string_view field);

/// The name of something that exists already: any text, but librbd takes C strings.
/// @throws BadRequest
void check_existing_name(const std::string& name, std::string_view field);

}  // namespace taskd::rbd
