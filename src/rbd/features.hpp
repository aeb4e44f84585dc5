#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace taskd::rbd {

/// The bit of a feature by its name ("layering", "object-map"), nullopt when unknown.
/// @source rbd/features.h; the dashboard's RBD_FEATURES_NAME_MAPPING has the same nine.
std::optional<std::uint64_t> feature_bit(std::string_view name) noexcept;

/// The names of the bits of `mask` that have one, by bit.
std::vector<std::string> feature_names(std::uint64_t mask);

/// Why librbd refuses this combination, empty when it does not: "object-map needs exclusive-lock".
std::string missing_feature(std::uint64_t mask);

}  // namespace taskd::rbd
