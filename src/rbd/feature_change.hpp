#pragma once

#include <cstdint>
#include <string>

namespace taskd::rbd {

/// What is to be switched on and off at an image so that it has the features that a client lists.
///
/// As in the dashboard, features that are not listed are switched off, and those that cannot be switched (layering,
/// striping, deep-flatten on) stay as they are. fast-diff asks for object-map, since neither is without the other.
/// @source dashboard `controllers/rbd.py` ALLOW_DISABLE_FEATURES, ALLOW_ENABLE_FEATURES
struct FeatureChange {
    std::uint64_t off = 0;
    std::uint64_t on = 0;

    static FeatureChange from_to(std::uint64_t now, std::uint64_t listed);

    /// Only these, and what librbd switches with them: object-map and fast-diff go together.
    static FeatureChange of(std::uint64_t now, std::uint64_t switched_on, std::uint64_t switched_off);

    bool empty() const noexcept { return off == 0 && on == 0; }
    std::uint64_t applied_to(std::uint64_t features) const noexcept { return (features & ~off) | on; }
};

/// Those that can be switched at an image that is there.
extern const std::uint64_t features_that_go_on;
extern const std::uint64_t features_that_go_off;

}  // namespace taskd::rbd
