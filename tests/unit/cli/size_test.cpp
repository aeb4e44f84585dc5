#include "cli/size.hpp"

#include <gtest/gtest.h>
#include <taskd/error.hpp>

namespace taskd::cli {
namespace {

std::uint64_t image_size(std::string_view text) {
    return parse_size("--size", text, mebibyte_unit);
}

TEST(Size, SuffixesArePowersOf1024) {
    EXPECT_EQ(image_size("4096B"), 4096U);
    EXPECT_EQ(image_size("10K"), 10240U);
    EXPECT_EQ(image_size("10M"), 10U << 20);
    EXPECT_EQ(image_size("10G"), 10ULL << 30);
    EXPECT_EQ(image_size("10T"), 10ULL << 40);
    EXPECT_EQ(image_size("2P"), 2ULL << 50);
    EXPECT_EQ(image_size("1E"), 1ULL << 60);
}

TEST(Size, ABareNumberCountsTheOptionsUnit) {
    EXPECT_EQ(image_size("10"), 10U << 20);
    EXPECT_EQ(parse_size("--object-size", "4096", byte_unit), 4096U);
}

TEST(Size, TakesLowerCaseAndLongSuffixes) {
    EXPECT_EQ(image_size("10g"), 10ULL << 30);
    EXPECT_EQ(image_size("10Gi"), 10ULL << 30);
    EXPECT_EQ(image_size("10GiB"), 10ULL << 30);
    EXPECT_EQ(image_size("10GB"), 10ULL << 30);
}

TEST(Size, ZeroIsASize) {
    EXPECT_EQ(image_size("0"), 0U);
}

TEST(Size, RefusesWhatIsNone) {
    for (const char* text :
         {"", "G", "abc", "-1", "+1", " 10", "10 G", "1.5G", "10X", "10GG", "10Bi", "0x10", "10GiBs"}) {
        EXPECT_THROW(image_size(text), BadRequest) << text;
    }
}

TEST(Size, RefusesWhatDoesNotFit) {
    EXPECT_EQ(image_size("9223372036854775807B"), 9223372036854775807ULL);
    for (const char* text : {"8E", "9223372036854775808B", "17179869184G", "99999999999999999999", "8796093022208"}) {
        EXPECT_THROW(image_size(text), BadRequest) << text;
    }
}

TEST(Size, TheErrorNamesTheOption) {
    try {
        image_size("1.5G");
        FAIL();
    } catch (const BadRequest& error) {
        EXPECT_EQ(error.field(), "--size");
        EXPECT_NE(std::string(error.what()).find("1536M"), std::string::npos) << error.what();
    }
}

}  // namespace
}  // namespace taskd::cli
