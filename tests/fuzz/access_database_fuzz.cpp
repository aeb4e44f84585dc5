#include "auth/access_database.hpp"
#include "auth/access_feed.hpp"
#include "fuzz/fuzzer.hpp"

#include <array>

#include <taskd/error.hpp>

/// The dashboard's users as a cluster may hold them.
namespace taskd::fuzz {
namespace {

using nlohmann::json;

constexpr std::array<auth::Permission, 4> all_permissions{auth::Permission::read, auth::Permission::create,
                                                          auth::Permission::update, auth::Permission::remove};

template <class Use>
void for_each_right(Use use) {
    for (std::size_t scope = 0; scope < auth::scope_count; ++scope)
        for (const auto permission : all_permissions) use(static_cast<auth::Scope>(scope), permission);
}

void try_user(const auth::User& user) {
    const auto together = user.permissions();
    const auto again = auth::Permissions::parse(together.to_json());
    for_each_right([&](auth::Scope scope, auth::Permission permission) {
        const bool may = user.may(scope, permission);
        require(!may || together.allow(scope, permission), "what one role allows all of them allow");
        require(may || !user.is_administrator(), "an administrator may do everything");
        require(!may || !user.roles.empty(), "who has no role may do nothing");
        require(again.allow(scope, permission) == together.allow(scope, permission),
                "permissions that are written and read again are the same");
    });
}

void try_login(const auth::AccessState& state, const std::string& name) {
    constexpr std::int64_t now = 1'000'000;
    std::string token;
    try {
        token = auth::sign({"id", name, now, now + 10}, state.secret);
    } catch (const Error&) {
        return;
    }
    const auto user = state.authenticate(token, now);
    if (!user) return;
    require(user->name == name, "a token is its user's");
    require(user->is_enabled && user->last_update <= now, "only who may log in has a token");
}

}  // namespace

void try_input(std::string_view input) {
    auth::AccessState state;
    state.secret = "secret";
    try {
        state.users = auth::AccessDatabase::parse(input);
    } catch (const Error&) {
        return;
    }
    const auto document = json::parse(input);
    for (const auto& [name, record] : document.at("users").items()) {
        const auto user = state.users.find(name);
        if (!user) continue;
        require(user->name == name, "a user is found by name");
        require(record.at("password") == user->password_hash, "a user has the password of the record");
        try_user(*user);
        try_login(state, name);
    }
}

}  // namespace taskd::fuzz
