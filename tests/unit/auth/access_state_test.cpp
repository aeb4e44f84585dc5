#include "auth/access_feed.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace taskd::auth {
namespace {

constexpr std::int64_t state_now = 1500;

AccessState state_with(std::int64_t last_update = 1000, bool enabled = true) {
    AccessState state;
    state.secret = "secret";
    const nlohmann::json users{
        {"admin",
         {{"password", "x"}, {"roles", {"administrator"}}, {"lastUpdate", last_update}, {"enabled", enabled}}}};
    state.users = AccessDatabase::parse(nlohmann::json{{"users", users}}.dump());
    return state;
}

std::string state_token(std::int64_t issued_at = 1000, std::int64_t expires_at = 2000,
                        const std::string& user = "admin") {
    return sign({"one", user, issued_at, expires_at}, "secret");
}

TEST(AccessState, KnowsWhoseTokenItIs) {
    const auto user = state_with().authenticate(state_token(), state_now);
    ASSERT_TRUE(user);
    EXPECT_EQ(user->name, "admin");
}

TEST(AccessState, ATokenIsVoidOnceItHasExpired) {
    EXPECT_TRUE(state_with().authenticate(state_token(), 1999));
    EXPECT_FALSE(state_with().authenticate(state_token(), 2000));
}

TEST(AccessState, ATokenFromTheFutureIsVoid) {
    EXPECT_FALSE(state_with().authenticate(state_token(1600), state_now));
}

TEST(AccessState, ARevokedTokenIsVoid) {
    auto state = state_with();
    state.revoked["one"] = 2000;
    EXPECT_FALSE(state.authenticate(state_token(), state_now));
}

TEST(AccessState, AChangeOfTheUserVoidsOlderTokens) {
    EXPECT_TRUE(state_with(1000).authenticate(state_token(1000), state_now));
    EXPECT_FALSE(state_with(1001).authenticate(state_token(1000), state_now));
}

TEST(AccessState, AChangeAMomentAgoVoidsWhatWasGivenBeforeAndNotWhatIsGivenNow) {
    const auto state = state_with(state_now + 2);
    EXPECT_FALSE(state.authenticate(state_token(state_now), state_now));
    const auto user = state.users.find("admin");
    EXPECT_TRUE(state.authenticate(state_token(user->token_time(state_now)), state_now));
    EXPECT_EQ(user->token_time(state_now + 5), state_now + 5);
    EXPECT_EQ(state_with(state_now + 61).users.find("admin")->token_time(state_now), state_now)
        << "a clock that is wrong";
}

TEST(AccessState, AUserWhoIsGoneOrDisabledHasNoToken) {
    EXPECT_FALSE(state_with().authenticate(state_token(1000, 2000, "gone"), state_now));
    EXPECT_FALSE(state_with(1000, false).authenticate(state_token(), state_now));
}

}  // namespace
}  // namespace taskd::auth
