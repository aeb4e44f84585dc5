#include "rbd/feature_change.hpp"

#include <rbd/features.h>

namespace taskd::rbd {

FeatureChange FeatureChange::from_to(std::uint64_t now, std::uint64_t listed) {
    constexpr std::uint64_t can_go_on =
        RBD_FEATURE_EXCLUSIVE_LOCK | RBD_FEATURE_OBJECT_MAP | RBD_FEATURE_FAST_DIFF | RBD_FEATURE_JOURNALING;
    constexpr std::uint64_t can_go_off = can_go_on | RBD_FEATURE_DEEP_FLATTEN;
    if ((listed & RBD_FEATURE_FAST_DIFF) != 0) listed |= RBD_FEATURE_OBJECT_MAP;
    return {.off = now & ~listed & can_go_off, .on = listed & ~now & can_go_on};
}

}  // namespace taskd::rbd
