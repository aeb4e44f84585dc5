#include <cstdint>
#include <limits>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <taskd/error.hpp>
#include <taskd/identity.hpp>

namespace taskd {
namespace {

using nlohmann::json;

void expect_same(const json& a, const json& b) {
    EXPECT_EQ(identity_of(a), identity_of(b)) << a << " and " << b;
}

void expect_all_differ(const std::vector<json>& all) {
    for (std::size_t a = 0; a < all.size(); ++a)
        for (std::size_t b = 0; b < a; ++b) EXPECT_NE(identity_of(all[a]), identity_of(all[b])) << all[a] << all[b];
}

json nested(int levels) {
    json value = 1;
    for (int level = 1; level < levels; ++level) value = json::array({std::move(value)});
    return {{"deep", std::move(value)}};
}

TEST(Identity, DoesNotDependOnTheOrderOfKeys) {
    expect_same(json::parse(R"({"a": 1, "b": {"c": 2, "d": [3, {"e": 4, "f": 5}]}})"),
                json::parse(R"({"b": {"d": [3, {"f": 5, "e": 4}], "c": 2}, "a": 1})"));
}

TEST(Identity, DependsOnTheOrderOfElements) {
    expect_all_differ({{{"a", {1, 2}}}, {{"a", {2, 1}}}});
}

TEST(Identity, TakesNullAsEmpty) {
    expect_same(nullptr, json::object());
}

TEST(Identity, OneEqualsOnePointZeroAndNothingElse) {
    expect_same({{"a", 1}}, {{"a", 1.0}});
    expect_same({{"a", 1U}}, {{"a", 1}});
    expect_all_differ({{{"a", 1}},
                       {{"a", "1"}},
                       {{"a", true}},
                       {{"a", 1.5}},
                       {{"a", -1}},
                       {{"a", json::array({1})}},
                       {{"a", {{"1", nullptr}}}}});
}

TEST(Identity, ZeroHasNoSign) {
    expect_same({{"a", 0}}, {{"a", -0.0}});
    expect_all_differ({{{"a", 0}}, {{"a", false}}, {{"a", nullptr}}, {{"a", ""}}});
}

TEST(Identity, WholeDoublesEqualTheirIntegersHoweverLarge) {
    constexpr auto two_to_53 = std::int64_t{1} << 53;
    expect_same({{"a", two_to_53}}, {{"a", 9007199254740992.0}});
    expect_same({{"a", std::uint64_t{1} << 63U}}, {{"a", 9223372036854775808.0}});
    expect_same({{"a", std::numeric_limits<std::int64_t>::min()}}, {{"a", -9223372036854775808.0}});
    expect_all_differ({{{"a", two_to_53 + 1}}, {{"a", 9007199254740992.0}}});
    expect_all_differ(
        {{{"a", std::numeric_limits<std::uint64_t>::max()}}, {{"a", 18446744073709551616.0}}, {{"a", 1e300}}});
}

TEST(Identity, TellsNearbyDoublesApart) {
    expect_all_differ({{{"a", 0.1}}, {{"a", std::nextafter(0.1, 1.0)}}, {{"a", 0.3}}, {{"a", 0.1 + 0.2}}});
}

TEST(Identity, NullEmptyAndAbsentDiffer) {
    expect_all_differ({json::object(),
                       {{"a", nullptr}},
                       {{"a", ""}},
                       {{"a", json::array()}},
                       {{"a", json::object()}},
                       {{"", nullptr}}});
}

TEST(Identity, TextsCannotPassForStructure) {
    expect_all_differ({{{"a", "b"}, {"c", "d"}},
                       {{"a", "b\",\"c\":\"d"}},
                       {{"a", "bs1:cs1:d"}},
                       {{"a", "b1:cs1:d"}},
                       {{"a", {"b", "c"}}},
                       {{"a", {"bs1:c"}}},
                       {{"a", {12}}},
                       {{"a", {1, 2}}}});
}

TEST(Identity, ANumberCannotRunIntoTheLengthOfTheNextKey) {
    expect_all_differ({{{"a", 5}, {"zzs13:ABCDEF", "wxyz"}}, {{"a", 51}, {"zz", "ABCDEFs4:wxyz"}}});
}

TEST(Identity, KeepsNulBytesApart) {
    expect_all_differ({{{"a", std::string("x\0y", 3)}}, {{"a", "x"}}, {{"a", std::string("x\0z", 3)}}});
}

TEST(Identity, TakesMetadataOf64LevelsAndRefusesMore) {
    EXPECT_NO_THROW(identity_of(nested(63)));
    EXPECT_THROW(identity_of(nested(64)), BadRequest);
    EXPECT_THROW(identity_of(nested(100'000)), BadRequest);
}

TEST(Identity, RefusesWhatIsNoObject) {
    for (const json& metadata : {json::array(), json("text"), json(1), json(true)})
        EXPECT_THROW(identity_of(metadata), BadRequest) << metadata;
}

TEST(Identity, RefusesInvalidUtf8AnywhereInIt) {
    EXPECT_THROW(identity_of({{"a", "\x80"}}), BadRequest);
    EXPECT_THROW(identity_of({{"\xFF", 1}}), BadRequest);
    EXPECT_THROW(identity_of({{"a", {{"b", {1, "\xC3"}}}}}), BadRequest);
}

TEST(Identity, RefusesBinaryAndDiscardedValues) {
    EXPECT_THROW(identity_of({{"a", json::binary({1, 2})}}), BadRequest);
    EXPECT_THROW(identity_of({{"a", json(json::value_t::discarded)}}), BadRequest);
}

}  // namespace
}  // namespace taskd
