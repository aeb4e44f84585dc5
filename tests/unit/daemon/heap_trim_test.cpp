#include "daemon/heap_trim.hpp"

#include <gtest/gtest.h>

namespace taskd::daemon {

/// One without a thread, of a process whose memory the test says.
struct HeapTrimTest : ::testing::Test {
    static constexpr std::size_t mib = std::size_t{1} << 20U;

    std::size_t resident = 100 * mib;
    std::size_t freed = 20 * mib;
    int trims = 0;
    HeapTrim trim{[this] { return resident; },
                  [this] {
                      ++trims;
                      resident -= freed;
                  }};

    void look() { trim.look(); }
};

namespace {

TEST_F(HeapTrimTest, TrimsOnceWhenNothingGrows) {
    for (int n = 0; n < 5; ++n) look();

    EXPECT_EQ(trims, 1);
}

TEST_F(HeapTrimTest, TrimsAgainWhenTheProcessHasGrownByMoreThanIsTolerated) {
    look();
    freed = 0;

    resident += HeapTrim::tolerated_growth;
    look();
    EXPECT_EQ(trims, 1);
    ++resident;
    look();
    EXPECT_EQ(trims, 2);
    look();
    EXPECT_EQ(trims, 2) << "what could not be given back is no growth";
}

TEST_F(HeapTrimTest, MeasuresGrowthFromTheLeastSinceTheLastTrim) {
    look();
    freed = 0;

    resident -= 50 * mib;
    look();
    resident += HeapTrim::tolerated_growth + 1;
    look();

    EXPECT_EQ(trims, 2);
}

TEST_F(HeapTrimTest, TrimsNowAndThenWhatAPeakHasLeftBehind) {
    for (int n = 0; n < HeapTrim::most_looks_without; ++n) look();
    EXPECT_EQ(trims, 1);

    look();

    EXPECT_EQ(trims, 2);
}

TEST_F(HeapTrimTest, LeavesAloneWhatItCannotMeasure) {
    resident = 0;

    for (int n = 0; n < 2 * HeapTrim::most_looks_without; ++n) look();

    EXPECT_EQ(trims, 0);
}

TEST(HeapTrimThread, EndsInTheMiddleOfItsWait) {
    const HeapTrim trim(std::chrono::hours(1));
}

}  // namespace
}  // namespace taskd::daemon
