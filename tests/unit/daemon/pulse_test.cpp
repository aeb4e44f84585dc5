#include "daemon/pulse.hpp"

#include <gtest/gtest.h>

namespace taskd::daemon {

using namespace std::chrono_literals;

/// A pulse without a thread: the test beats.
struct PulseTest : ::testing::Test {
    const BootClock::time_point start{10h};
    Pulse pulse{start};

    void beat(BootClock::time_point moment) { pulse.beat(moment); }
    BootClock::time_point since_at(BootClock::time_point moment) const { return pulse.since_at(moment); }
};

namespace {

TEST_F(PulseTest, IsUnbrokenWhileItBeats) {
    for (auto moment = start; moment < start + 1h; moment += 900ms) beat(moment);

    EXPECT_EQ(since_at(start + 1h), start);
}

TEST_F(PulseTest, IsBrokenByALongPauseAlsoBeforeItsThreadRunsAgain) {
    beat(start + 1s);
    const auto awake = start + 13s;

    EXPECT_EQ(since_at(awake), awake);
    EXPECT_EQ(since_at(awake + 1ms), awake + 1ms) << "its thread has not run yet";
    beat(awake + 2ms);
    EXPECT_EQ(since_at(awake + 500ms), awake + 2ms);
}

TEST(PulseThread, Beats) {
    const auto before = BootClock::now();
    const Pulse pulse;

    EXPECT_GE(pulse.unbroken_since(), before);
    EXPECT_LE(pulse.unbroken_since(), BootClock::now());
}

}  // namespace
}  // namespace taskd::daemon
