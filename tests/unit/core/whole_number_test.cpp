#include "core/whole_number.hpp"

#include <gtest/gtest.h>

namespace taskd {
namespace {

using nlohmann::json;

TEST(WholeNumber, IsTakenInEachFormThatJsonHas) {
    EXPECT_EQ(whole_number(7), 7);
    EXPECT_EQ(whole_number(7U), 7);
    EXPECT_EQ(whole_number(-7), -7);
    EXPECT_EQ(whole_number(7.0), 7);
    EXPECT_EQ(whole_number(INT64_MIN), INT64_MIN);
    EXPECT_EQ(whole_number(INT64_MAX), INT64_MAX);
}

TEST(WholeNumber, IsNothingThatDoesNotFit) {
    for (const auto* text :
         {"2.00006e+84", "-1e19", "9223372036854775808", "9.3e18", "1.5", "null", "true", "\"7\"", "[7]"})
        EXPECT_EQ(whole_number(json::parse(text)), std::nullopt) << text;
}

}  // namespace
}  // namespace taskd
