#include "mgr/mgr_clock.hpp"

#include <gtest/gtest.h>

namespace taskd::mgr {
namespace {

using namespace std::chrono_literals;

class MgrClockTest : public ::testing::Test {
  protected:
    WallTime now = parse_utc("2026-11-25T01:31:34.380289Z");
    MgrClock clock;
};

TEST_F(MgrClockTest, KnowsNothingAtFirst) {
    EXPECT_EQ(clock.ahead(), std::nullopt);
}

TEST_F(MgrClockTest, LearnsTheZoneOfWhatBeganBetweenTwoLooks) {
    for (const auto zone : {0min, -300min, 330min, 345min, 840min, -720min}) {
        clock.learn(now + zone - 1s, now - 3s, now);
        EXPECT_EQ(clock.ahead(), zone);
    }
}

TEST_F(MgrClockTest, LivesWithClocksThatAreSecondsApart) {
    clock.learn(now - 5h + 4s, now - 1s, now);
    EXPECT_EQ(clock.ahead(), -5h);
}

TEST_F(MgrClockTest, IgnoresWhatFitsNoZone) {
    clock.learn(now + 1h, now - 1s, now);

    clock.learn(now + 7min, now - 1s, now);
    clock.learn(now + 15h, now - 1s, now);
    clock.learn(now - 13h, now - 1s, now);
    clock.learn(now - 3h - 30s, now - 1s, now);

    EXPECT_EQ(clock.ahead(), 1h);
}

TEST_F(MgrClockTest, BelievesWhatIsSeenLast) {
    clock.learn(now - 4h, now - 1s, now);
    clock.learn(now - 5h, now - 1s, now);
    EXPECT_EQ(clock.ahead(), -5h) << "the clocks were put back";
}

}  // namespace
}  // namespace taskd::mgr
