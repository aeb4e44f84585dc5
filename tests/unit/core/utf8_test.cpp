#include "core/utf8.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace taskd {
namespace {

using nlohmann::json;

TEST(Utf8, TakesTheFirstAndLastOfEachLength) {
    for (const char* text : {"", "a", "\x7F", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
                             "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"})
        EXPECT_TRUE(is_valid_utf8(text)) << text;
    EXPECT_TRUE(is_valid_utf8(std::string_view("\0", 1)));
}

TEST(Utf8, RefusesOverlongFormsSurrogatesAndWhatLiesAboveUnicode) {
    for (const char* text : {"\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xED\xBF\xBF", "\xF0\x8F\xBF\xBF",
                             "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFE", "\xFF"})
        EXPECT_FALSE(is_valid_utf8(text)) << json(text).dump(-1, ' ', true, json::error_handler_t::replace);
}

TEST(Utf8, RefusesLoneAndMissingContinuations) {
    for (const char* text :
         {"\x80", "a\xBF", "\xC3", "\xC3(", "\xE2\x82", "\xE2(\xAC", "\xF0\x9F\x98", "\xF0\x9F(\x80"})
        EXPECT_FALSE(is_valid_utf8(text));
}

TEST(Utf8, ReplacesOnlyWhatIsInvalid) {
    EXPECT_EQ(valid_utf8("gr\xC3\xBC\xC3\x9F e"), "gr\xC3\xBC\xC3\x9F e");
    EXPECT_EQ(valid_utf8("a\x80z\xC3"), "a\xEF\xBF\xBDz\xEF\xBF\xBD");
}

TEST(MakeValidUtf8, ReachesEveryTextAndKey) {
    json value = {{"fine", 1}, {"k\x80", {{"deeper", {"\xFF", json{{"\xC3", "x"}}}}}}};

    make_valid_utf8(value);

    EXPECT_EQ(value,
              (json{{"fine", 1}, {"k\xEF\xBF\xBD", {{"deeper", {"\xEF\xBF\xBD", json{{"\xEF\xBF\xBD", "x"}}}}}}}));
}

TEST(MakeValidUtf8, LeavesValidValuesAlone) {
    const json before = {{"a", {1, 2.5, nullptr, true, "text"}}, {"b", json::object()}};
    json value = before;

    make_valid_utf8(value);

    EXPECT_EQ(value, before);
}

TEST(MakeValidUtf8, MakesDiscardedValuesNull) {
    json value = {{"a", json(json::value_t::discarded)}};

    make_valid_utf8(value);

    EXPECT_EQ(value.dump(), R"({"a":null})");
}

TEST(MakeValidUtf8, TakesValuesOfAnyDepth) {
    json value = "\xFF";
    for (int level = 0; level < 100'000; ++level) value = json::array({std::move(value)});

    make_valid_utf8(value);

    const json* inner = &value;
    while (inner->is_array()) inner = &inner->front();
    EXPECT_EQ(*inner, "\xEF\xBF\xBD");
}

}  // namespace
}  // namespace taskd
