#include "core/histogram.hpp"

#include <array>

#include <gmock/gmock.h>

namespace taskd {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

constexpr std::array<std::chrono::nanoseconds, 3> bounds{1ms, 10ms, 1s};

TEST(Histogram, CountsADurationUnderTheLeastBoundThatIsNotBelowIt) {
    Histogram histogram(bounds);
    for (const std::chrono::nanoseconds duration : {0ns, 1000000ns, 1000001ns, 999999999ns}) histogram.note(duration);

    const auto look = histogram.look();

    EXPECT_THAT(look.counts, ElementsAre(2, 1, 1, 0));
    EXPECT_EQ(look.count(), 4U);
    EXPECT_EQ(look.sum, 1002000000ns);
}

TEST(Histogram, KeepsWhatIsAboveAllBounds) {
    Histogram histogram(bounds);
    histogram.note(24h);

    EXPECT_THAT(histogram.look().counts, ElementsAre(0, 0, 0, 1));
    EXPECT_EQ(histogram.look().sum, 24h);
}

TEST(Histogram, TakesATimeThatWentBackwardsForNone) {
    Histogram histogram(bounds);
    histogram.note(-5s);

    EXPECT_THAT(histogram.look().counts, ElementsAre(1, 0, 0, 0));
    EXPECT_EQ(histogram.look().sum, 0ns);
}

TEST(Histogram, OfSeveralThreadsAreAdded) {
    Histogram one(bounds);
    Histogram other(bounds);
    one.note(5ms);
    other.note(5ms);
    other.note(2s);

    auto sum = one.look();
    sum += other.look();

    EXPECT_THAT(sum.counts, ElementsAre(0, 2, 0, 1));
    EXPECT_EQ(sum.sum, 2010ms);
}

}  // namespace
}  // namespace taskd
