#pragma once

#include <map>
#include <string>

#include <nlohmann/json.hpp>

namespace taskd::rbd {

class Image;

/// The pairs of text that are kept with an image; configuration is among them, with the prefix `conf_`.
/// Values may be any bytes but NUL.
/// @throws Error
/// @thread Any. All block.
std::map<std::string, std::string> metadata_of(const Image& image);
/// No error when there is none of that key.
void remove_metadata(const Image& image, const std::string& key);

/// Brings the image's configuration to what is asked for; null removes.
/// @param configuration  As `decode_configuration` returns it.
/// @param before  Gets what the changed options were, in the same form: null for one that was not set. Also when a
///                later one fails.
void change_configuration(Image& image, const nlohmann::json& configuration, nlohmann::json& before);

}  // namespace taskd::rbd
