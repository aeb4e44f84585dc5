#include "rbd/feature_change.hpp"

#include <rbd/features.h>

namespace taskd::rbd {

const std::uint64_t features_that_go_on =
    RBD_FEATURE_EXCLUSIVE_LOCK | RBD_FEATURE_OBJECT_MAP | RBD_FEATURE_FAST_DIFF | RBD_FEATURE_JOURNALING;
const std::uint64_t features_that_go_off = features_that_go_on | RBD_FEATURE_DEEP_FLATTEN;

FeatureChange FeatureChange::from_to(std::uint64_t now, std::uint64_t listed) {
    if ((listed & RBD_FEATURE_FAST_DIFF) != 0) listed |= RBD_FEATURE_OBJECT_MAP;
    return {.off = now & ~listed & features_that_go_off, .on = listed & ~now & features_that_go_on};
}

FeatureChange FeatureChange::of(std::uint64_t now, std::uint64_t switched_on, std::uint64_t switched_off) {
    if ((switched_off & RBD_FEATURE_OBJECT_MAP) != 0) switched_off |= RBD_FEATURE_FAST_DIFF;
    return from_to(now, (now | switched_on) & ~switched_off);
}

}  // namespace taskd::rbd
