#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>
#include <rados/librados.h>

namespace taskd::rbd {

/// Before the name of an option that an image or a pool has a value of its own for, among its metadata.
inline constexpr std::string_view option_prefix = "conf_";

class Image;

/// Options of one image that differ from its pool's: `{"rbd_qos_iops_limit": "100"}`, kept by librbd as image metadata
/// with the prefix `conf_`.

/// Brings what a client sent into the form above; numbers and booleans become text, null stays and means "remove".
/// @throws BadRequest naming `field` or `field.option`
nlohmann::json decode_configuration(const nlohmann::json& given, std::string_view field);

/// Asks librbd whether it knows all the options and takes their values, before anything is changed.
/// @param image  For the text of the error.
/// @throws Error EINVAL
void check_configuration(rados_ioctx_t pool, const nlohmann::json& configuration, const std::string& image);

/// @throws Error
void apply_configuration(Image& image, const nlohmann::json& configuration);

}  // namespace taskd::rbd
