#include "mgr/mgr_clock.hpp"

namespace taskd::mgr {
namespace {

using Quarters = std::chrono::duration<std::int64_t, std::ratio<900>>;

/// As far as the clocks of a cluster's hosts may be apart, and then some.
constexpr std::chrono::seconds slack{5};
/// Kiribati is 14 hours ahead, Baker Island 12 behind.
constexpr std::chrono::hours most_ahead{14};
constexpr std::chrono::hours most_behind{12};

}  // namespace

void MgrClock::learn(WallTime local, WallTime from, WallTime until) {
    const auto middle = from + (until - from) / 2;
    const auto zone = std::chrono::round<Quarters>(local - middle);
    if (zone > most_ahead || zone < -most_behind) return;
    const auto utc = local - zone;
    if (utc < from - slack || utc > until + slack) return;
    ahead_ = zone;
}

}  // namespace taskd::mgr
