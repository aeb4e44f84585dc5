#include <cstdlib>
#include <ctime>

#include <gtest/gtest.h>
#include <taskd/clock.hpp>
#include <taskd/error.hpp>

namespace taskd {
namespace {

using namespace std::chrono;

constexpr WallTime moment =
    sys_days{November / 25 / 2026} + hours(1) + minutes(31) + seconds(34) + microseconds(380289);

TEST(FormatUtc, HasSixDigitsAndZ) {
    EXPECT_EQ(format_utc(moment), "2026-11-25T01:31:34.380289Z");
}

TEST(FormatUtc, KeepsTheFractionWhenItIsZero) {
    EXPECT_EQ(format_utc(sys_days{January / 2 / 2024}), "2024-01-02T00:00:00.000000Z");
}

TEST(FormatUtc, CutsNanosecondsOff) {
    EXPECT_EQ(format_utc(moment + nanoseconds(999)), "2026-11-25T01:31:34.380289Z");
}

TEST(FormatUtc, CountsDaysBeforeTheEpochDownwards) {
    EXPECT_EQ(format_utc(WallTime() - microseconds(1)), "1969-12-31T23:59:59.999999Z");
}

TEST(FormatUtc, IsUtcWhateverTheTimeZone) {
    for (const char* zone : {"Asia/Kolkata", "America/St_Johns", "<+14>-14"}) {
        setenv("TZ", zone, 1);
        tzset();

        EXPECT_EQ(format_utc(moment), "2026-11-25T01:31:34.380289Z") << zone;
        EXPECT_EQ(parse_utc("2026-11-25T01:31:34.380289Z"), moment) << zone;
    }
    unsetenv("TZ");
    tzset();
}

TEST(ParseUtc, IsTheInverseOfFormatUtc) {
    for (const WallTime time : {moment, WallTime(), WallTime() - seconds(1), WallTime(sys_days{February / 29 / 2024})})
        EXPECT_EQ(parse_utc(format_utc(time)), time) << format_utc(time);
}

TEST(ParseUtc, TakesTimesWithoutAFraction) {
    EXPECT_EQ(parse_utc("2026-11-25T01:31:34Z"), floor<seconds>(moment));
}

TEST(ParseUtc, TakesAllYearsThatAWallTimeCanTell) {
    for (const auto* text : {"1678-01-01T00:00:00.000000Z", "2261-12-31T23:59:59.999999Z"})
        EXPECT_EQ(format_utc(parse_utc(text)), text);
}

TEST(ParseUtc, TakesShortAndLongFractions) {
    EXPECT_EQ(parse_utc("2026-11-25T01:31:34.5Z"), floor<seconds>(moment) + milliseconds(500));
    EXPECT_EQ(parse_utc("2026-11-25T01:31:34.380289999Z"), moment);
}

TEST(ParseUtc, RefusesWhatIsNoTime) {
    for (const char* text : {"",
                             "Z",
                             "now",
                             "2026-11-25",
                             "2026-11-25T01:31:34",
                             "2026-11-25T01:31:34+00:00",
                             "2026-11-25T01:31:34.Z",
                             "2026-11-25 01:31:34Z",
                             "2026-11-25T01:31:34.38x289Z",
                             "2026-11-25T01:31:34ZZ",
                             " 026-11-25T01:31:34Z",
                             "-026-11-25T01:31:34Z",
                             "2026-+1-25T01:31:34Z",
                             "2026-1-25T01:31:34Z",
                             "2026-13-25T01:31:34Z",
                             "2026-00-25T01:31:34Z",
                             "2026-02-30T01:31:34Z",
                             "2025-02-29T01:31:34Z",
                             "2026-11-25T24:00:00Z",
                             "2026-11-25T01:60:34Z",
                             "2026-11-25T01:31:60Z",
                             "12026-11-25T01:31:34Z",
                             "1677-12-31T23:59:59Z",
                             "2262-01-01T00:00:00Z",
                             "9999-12-31T23:59:59Z"})
        EXPECT_THROW(parse_utc(text), BadRequest) << text;
    EXPECT_THROW(parse_utc(std::string_view("2026-11-25T01:31:34\0Z", 21)), BadRequest);
}

TEST(SystemClock, ItsSteadyTimeNeverGoesBack) {
    const SteadyTime first = Clock::system().steady();

    EXPECT_GE(Clock::system().steady(), first);
}

}  // namespace
}  // namespace taskd
