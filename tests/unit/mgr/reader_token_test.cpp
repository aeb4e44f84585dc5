#include "mgr/reader_token.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace taskd::mgr {
namespace {

using nlohmann::json;

constexpr std::int64_t now = 1'795'570'294;

json user(const json& roles, bool enabled = true, std::int64_t last_update = 1000) {
    return {{"password", "h"}, {"roles", roles}, {"lastUpdate", last_update}, {"enabled", enabled}};
}

auth::AccessState state_with(const json& users) {
    auth::AccessState state;
    state.users = auth::AccessDatabase::parse(json{{"users", users}}.dump());
    state.secret = "a secret of the cluster";
    return state;
}

std::string reader_of(const auth::AccessState& state) {
    const auto token = reader_token(state, now);
    return token ? auth::verify(*token, state.secret)->username : "nobody";
}

TEST(ReaderToken, IsOfTheUserWhoIsThereForIt) {
    EXPECT_EQ(
        reader_of(state_with(
            {{"admin", user({"administrator"})}, {"ceph-taskd", user({"read-only"})}, {"none", user(json::array())}})),
        "ceph-taskd");
}

TEST(ReaderToken, IsElseOfTheOneWhoMayDoTheLeast) {
    EXPECT_EQ(reader_of(state_with({{"admin", user({"administrator"})}, {"reader", user({"read-only"})}})), "reader");
    EXPECT_EQ(reader_of(state_with({{"admin", user({"administrator"})}})), "admin");
}

TEST(ReaderToken, IsOfNobodyWhoseTokensAreVoid) {
    EXPECT_EQ(reader_of(state_with({{"admin", user({"administrator"})},
                                    {"ceph-taskd", user(json::array(), false)},
                                    {"future", user(json::array(), true, now + 2)}})),
              "admin");
    EXPECT_EQ(reader_of(state_with(json::object())), "nobody");
}

TEST(ReaderToken, IsNotMadeOfUsersOfOurOwn) {
    auto state = state_with({{"admin", user({"administrator"})}});
    state.source = auth::AccessSource::own;
    EXPECT_EQ(reader_token(state, now), std::nullopt);
}

TEST(ReaderToken, IsShortLivedAndValidWhereClocksAreBehind) {
    const auto state = state_with({{"admin", user({"administrator"})}});
    const auto token = reader_token(state, now);
    ASSERT_TRUE(token);

    EXPECT_TRUE(state.authenticate(*token, now));
    EXPECT_LE(auth::verify(*token, state.secret)->issued_at, now - 10);
    EXPECT_FALSE(state.authenticate(*token, now + 60));
}

TEST(ReaderToken, IsNotOlderThanTheLastChangeOfItsUser) {
    const auto state = state_with({{"admin", user({"administrator"}, true, now - 1)}});
    const auto token = reader_token(state, now);
    ASSERT_TRUE(token);

    EXPECT_TRUE(state.authenticate(*token, now));
}

}  // namespace
}  // namespace taskd::mgr
