#include "api/request_rate.hpp"

#include "support/manual_clock.hpp"

#include <string>

#include <gmock/gmock.h>

namespace taskd::api {
namespace {

using namespace std::chrono_literals;

class RequestRateTest : public ::testing::Test {
  protected:
    int accepted_of(int requests, const std::string& user) {
        int accepted = 0;
        for (int n = 0; n < requests; ++n) accepted += rate.count(user) ? 0 : 1;
        return accepted;
    }

    test::ManualClock clock;
    RequestRate rate{{.per_second = 10, .at_once = 20}, clock};
};

TEST_F(RequestRateTest, TakesABurstAndThenSoManyASecond) {
    EXPECT_EQ(accepted_of(50, "ann"), 20);
    clock.advance(1s);
    EXPECT_EQ(accepted_of(50, "ann"), 10);
    clock.advance(100ms);
    EXPECT_EQ(accepted_of(50, "ann"), 1);
    clock.advance(1h);
    EXPECT_EQ(accepted_of(50, "ann"), 20);
}

TEST_F(RequestRateTest, LetsNoUserPayForAnother) {
    accepted_of(50, "ann");
    EXPECT_EQ(accepted_of(50, "bob"), 20);
}

TEST_F(RequestRateTest, SaysHowLongToWait) {
    RequestRate slow({.per_second = 0.25, .at_once = 1}, clock);
    EXPECT_EQ(slow.count("ann"), std::nullopt);
    EXPECT_EQ(slow.count("ann"), 4s);
    clock.advance(3500ms);
    EXPECT_EQ(slow.count("ann"), 1s);
    clock.advance(500ms);
    EXPECT_EQ(slow.count("ann"), std::nullopt);
}

TEST_F(RequestRateTest, ARefusedRequestCostsNothing) {
    accepted_of(1000, "ann");
    clock.advance(2s);
    EXPECT_EQ(accepted_of(50, "ann"), 20);
}

TEST_F(RequestRateTest, ForgetsUsersWhoRest) {
    for (int n = 0; n < 5000; ++n) {
        (void)rate.count("user-" + std::to_string(n));
        clock.advance(100ms);
    }
    EXPECT_LE(rate.size(), 1000U);
}

TEST_F(RequestRateTest, NoLimitIsNone) {
    RequestRate none({.per_second = 0, .at_once = 0}, clock);
    for (int n = 0; n < 1000; ++n) ASSERT_EQ(none.count("ann"), std::nullopt);
    EXPECT_EQ(none.size(), 0U);
}

}  // namespace
}  // namespace taskd::api
