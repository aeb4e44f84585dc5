#include "rbd/features.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <rbd/features.h>

namespace taskd::rbd {
namespace {

constexpr std::array<std::pair<std::string_view, std::uint64_t>, 9> known_features{{
    {RBD_FEATURE_NAME_LAYERING, RBD_FEATURE_LAYERING},
    {RBD_FEATURE_NAME_STRIPINGV2, RBD_FEATURE_STRIPINGV2},
    {RBD_FEATURE_NAME_EXCLUSIVE_LOCK, RBD_FEATURE_EXCLUSIVE_LOCK},
    {RBD_FEATURE_NAME_OBJECT_MAP, RBD_FEATURE_OBJECT_MAP},
    {RBD_FEATURE_NAME_FAST_DIFF, RBD_FEATURE_FAST_DIFF},
    {RBD_FEATURE_NAME_DEEP_FLATTEN, RBD_FEATURE_DEEP_FLATTEN},
    {RBD_FEATURE_NAME_JOURNALING, RBD_FEATURE_JOURNALING},
    {RBD_FEATURE_NAME_DATA_POOL, RBD_FEATURE_DATA_POOL},
    {RBD_FEATURE_NAME_OPERATIONS, RBD_FEATURE_OPERATIONS},
}};

}  // namespace

std::optional<std::uint64_t> feature_bit(std::string_view name) noexcept {
    for (const auto& [known, bit] : known_features)
        if (known == name) return bit;
    return std::nullopt;
}

std::vector<std::string> feature_names(std::uint64_t mask) {
    std::vector<std::string> names;
    for (const auto& [name, bit] : known_features)
        if ((mask & bit) != 0) names.emplace_back(name);
    return names;
}

std::string missing_feature(std::uint64_t mask) {
    constexpr std::array<std::pair<std::uint64_t, std::uint64_t>, 3> needs{{
        {RBD_FEATURE_OBJECT_MAP, RBD_FEATURE_EXCLUSIVE_LOCK},
        {RBD_FEATURE_FAST_DIFF, RBD_FEATURE_OBJECT_MAP},
        {RBD_FEATURE_JOURNALING, RBD_FEATURE_EXCLUSIVE_LOCK},
    }};
    for (const auto& [feature, needed] : needs)
        if ((mask & feature) != 0 && (mask & needed) == 0)
            return feature_names(feature).front() + " needs " + feature_names(needed).front();
    return {};
}

}  // namespace taskd::rbd
