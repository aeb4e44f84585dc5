#include "cli/render.hpp"

#include <gtest/gtest.h>

namespace taskd::cli {
namespace {

TEST(Printable, TakesTheTeethOutOfEscapes) {
    EXPECT_EQ(printable("a\x1b[2Jb\r\n\t"), "a?[2Jb???");
    EXPECT_EQ(printable("\x7f"), "?");
    EXPECT_EQ(printable("\xc2\x9b"
                        "2J"),
              "?2J");  // C1: the one-character form of ESC [
    EXPECT_EQ(printable("a\xe2\x80\xae"
                        "b"),
              "a?b");  // right-to-left override
}

TEST(Printable, KeepsUnicodeAndReplacesBrokenBytes) {
    EXPECT_EQ(printable("grün 日本"), "grün 日本");
    EXPECT_EQ(printable("a\xff"
                        "b\xc3"),
              "a?b?");
    EXPECT_EQ(printable("\xc0\xaf\xed\xa0\x80"), "?????");  // overlong, surrogate
}

TEST(DisplayWidth, CountsColumnsNotBytes) {
    EXPECT_EQ(display_width("grün"), 4U);
    EXPECT_EQ(display_width("日本"), 4U);
    EXPECT_EQ(display_width("e\xcc\x81"), 1U);  // combining accent
}

TEST(Truncated, CutsAtColumnsAndSaysSo) {
    EXPECT_EQ(truncated("abcdef", 6), "abcdef");
    EXPECT_EQ(truncated("abcdef", 4), "abc…");
    EXPECT_EQ(truncated("日本語", 4), "日…");
    EXPECT_EQ(truncated("abc", 1), "…");
    EXPECT_EQ(truncated("abc", 0), "");
}

TEST(Duration, IsAsPreciseAsItIsShort) {
    EXPECT_EQ(format_duration(0), "0.0 s");
    EXPECT_EQ(format_duration(1.24), "1.2 s");
    EXPECT_EQ(format_duration(9.96), "10 s");
    EXPECT_EQ(format_duration(59.6), "1:00");
    EXPECT_EQ(format_duration(185), "3:05");
    EXPECT_EQ(format_duration(7385), "2:03:05");
    EXPECT_EQ(format_duration(90000), "1 d 01:00");
    EXPECT_EQ(format_duration(-5), "0.0 s");
}

TEST(Bar, FillsInProportion) {
    EXPECT_EQ(bar(0, 12), "[          ]");
    EXPECT_EQ(bar(1, 12), "[>         ]");
    EXPECT_EQ(bar(50, 12), "[=====>    ]");
    EXPECT_EQ(bar(99, 12), "[=========>]");
    EXPECT_EQ(bar(100, 12), "[==========]");
}

TEST(Bar, ClampsWhatMakesNoSense) {
    EXPECT_EQ(bar(-3, 5), "[   ]");
    EXPECT_EQ(bar(250, 5), "[===]");
    EXPECT_EQ(bar(100, 0), "[=]");
}

TEST(Eta, FollowsTheRateThatWasSeen) {
    EtaEstimator eta;
    eta.observe(100, 10);
    EXPECT_FALSE(eta.remaining());
    eta.observe(110, 30);
    EXPECT_DOUBLE_EQ(eta.remaining().value(), 35);
    eta.observe(115, 30);
    EXPECT_DOUBLE_EQ(eta.remaining().value(), 30);
}

TEST(Eta, IsNotGuessedFromTheFirstMoment) {
    EtaEstimator eta;
    eta.observe(100, 0);
    eta.observe(101, 50);
    EXPECT_FALSE(eta.remaining());
}

TEST(Eta, StartsAgainWithTheTask) {
    EtaEstimator eta;
    eta.observe(0, 10);
    eta.observe(10, 60);
    eta.observe(11, 0);
    EXPECT_FALSE(eta.remaining());
    eta.observe(21, 50);
    EXPECT_DOUBLE_EQ(eta.remaining().value(), 10);
}

TEST(Eta, NeverGoesBelowZero) {
    EtaEstimator eta;
    eta.observe(0, 0);
    eta.observe(10, 99);
    eta.observe(500, 99);
    EXPECT_DOUBLE_EQ(eta.remaining().value(), 0);
}

}  // namespace
}  // namespace taskd::cli
