#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace taskd::cli {

// What rbd(8) prints of images, from the daemon's objects of them. Everything here is pure.

/// "10 GiB", "1.5 MiB", "0 B": three digits, powers of 1024.
std::string size_text(std::uint64_t bytes);

/// Names, one a line; half-removed and broken ones in their place, as in `rbd ls`.
std::string image_names(const std::vector<nlohmann::json>& images);
/// `rbd ls -l`: images and their snapshots, with what is wrong with those that are not whole.
std::string image_table(const std::vector<nlohmann::json>& images, std::size_t columns, bool color);
/// `rbd info`.
std::string image_info(const nlohmann::json& image);
/// `rbd snap ls`.
std::string snapshot_table(const nlohmann::json& image, std::size_t columns, bool color);
/// `rbd du`: what each snapshot and each image uses; "-" where no object map tells.
std::string usage_table(const std::vector<nlohmann::json>& images, std::size_t columns, bool color);
/// `rbd trash ls`: id and name; `with_details`: also where from, when, and until when it is kept.
std::string trash_table(const std::vector<nlohmann::json>& entries, bool with_details, std::size_t columns, bool color);
/// `rbd mirror pool info`.
std::string mirroring_info(const nlohmann::json& mirroring);
/// `rbd namespace ls`.
std::string namespace_table(const nlohmann::json& namespaces, std::size_t columns, bool color);

}  // namespace taskd::cli
