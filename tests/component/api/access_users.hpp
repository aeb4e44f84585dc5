#pragma once

#include "api_server.hpp"
#include "support/manual_clock.hpp"

#include <mutex>
#include <string>
#include <vector>

namespace taskd::api {

/// A front that asks its callers who they are, with users of the test's.
class UsersTest : public ApiTest {
  protected:
    static constexpr const char* secret = "a secret of the cluster";
    // The password "secret" at bcrypt's least cost.
    static constexpr const char* hash = "$2b$04$87/weVPfZWc.FeIyv/n0v.OGj2w7QpKnOHlozuwbbfQ8tBh4BasWq";

    /// As the dashboard's database has one.
    static nlohmann::json user(const std::string& role) {
        return {{"password", hash}, {"roles", {role}}, {"lastUpdate", 1000}, {"enabled", true}};
    }
    /// @param users  By their names.
    static std::shared_ptr<auth::AccessState> state_with(const nlohmann::json& users) {
        auto state = std::make_shared<auth::AccessState>();
        state->users = auth::AccessDatabase::parse(nlohmann::json{{"users", users}}.dump());
        state->secret = secret;
        return state;
    }
    static std::string token(const std::string& name, const std::string& key = secret) {
        const auto now = auth::numeric_date_now();
        return auth::sign({"token of " + name, name, now, now + 60}, key);
    }
    static http::NameValue bearer(const std::string& token) { return {"Authorization", "Bearer " + token}; }

    explicit UsersTest(std::shared_ptr<const auth::AccessState> users) : state(std::move(users)) {
        services.authority = &authority;
    }

    std::mutex mutex;
    std::shared_ptr<const auth::AccessState> state;
    std::vector<std::string> revoked;
    auth::LoginDesk desk{{.attempts = 3}};
    test::ManualClock clock;
    RequestRate rate{{.per_second = 100, .at_once = 200}, clock};
    Authority authority{[this] {
                            const std::lock_guard lock(mutex);
                            return state;
                        },
                        desk,
                        [this](const auth::Token& token, std::function<void(bool)> done) {
                            revoked.push_back(token.id);
                            done(true);
                        },
                        &rate};
};

}  // namespace taskd::api
