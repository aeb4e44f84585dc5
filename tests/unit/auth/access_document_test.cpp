#include "auth/access_document.hpp"

#include "auth/access_database.hpp"

#include <cerrno>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <taskd/error.hpp>

namespace taskd::auth {
namespace {

using ::testing::HasSubstr;

constexpr std::int64_t now = 1000;
constexpr std::int64_t changed = 1002;  // `update_time(now, 0)`

/// What is stored, byte for byte as the dashboard stores it.
const std::string golden =
    R"({"users": {"anna": {"username": "anna", "password": "$2b$12$x", "roles": ["mine", "read-only"], )"
    R"("name": "Anna", "email": null, "lastUpdate": 5, "enabled": true, "pwdExpirationDate": null, )"
    R"("pwdUpdateRequired": false}, "Zo\u00eb": {"username": "Zo\u00eb", "password": "$2b$12$y", "roles": [], )"
    R"("name": null, "email": "z@x", "lastUpdate": 6, "enabled": false, "pwdExpirationDate": 4000000000, )"
    R"("pwdUpdateRequired": true}}, "roles": {"mine": {"name": "mine", "description": null, )"
    R"("scopes_permissions": {"pool": ["create", "read"]}}}, "version": 2})";

AccessDocument some() {
    return AccessDocument::parse(golden);
}

std::string shown(const AccessDocument::Record& record) {
    return record.dump();
}

/// The errno that something ends with, and its text.
std::pair<int, std::string> failure(const std::function<void()>& act) {
    try {
        act();
    } catch (const Error& error) {
        return {error.errno_value(), error.what()};
    }
    return {0, {}};
}

std::pair<int, std::string> failed(int code, std::string text) {
    return {code, std::move(text)};
}

NewUser new_user(std::string name) {
    NewUser user;
    user.username = std::move(name);
    user.password_hash = "$2b$12$z";
    return user;
}

TEST(AccessDocument, KeepsTheDashboardsFormToTheByte) {
    EXPECT_EQ(some().text(), golden);
}

TEST(AccessDocument, IsOfNobodyAtFirst) {
    EXPECT_EQ(AccessDocument().text(), R"({"users": {}, "roles": {}, "version": 2})");
    EXPECT_TRUE(AccessDatabase::parse(AccessDocument().text()).is_empty());
}

TEST(AccessDocument, RefusesWhatIsNone) {
    for (const auto* text : {"", "[]", "7", "{}", R"({"users": {}})", R"({"users": [], "roles": {}})",
                             R"({"users": {"a": 7}, "roles": {}})", R"({"users": {"a": {"roles": [7]}}, "roles": {}})",
                             R"({"users": {}, "roles": {"r": {}}})"})
        EXPECT_EQ(failure([&] { (void)AccessDocument::parse(text); }).first, EBADMSG) << text;
}

TEST(AccessDocument, ANewUserHasAllThatTheDashboardsHave) {
    AccessDocument document;
    auto bob = new_user("bob");
    bob.role = "read-only";

    EXPECT_EQ(shown(document.create_user(bob, now)),
              R"({"username":"bob","password":"$2b$12$z","roles":["read-only"],"name":null,"email":null,)"
              R"("lastUpdate":1002,"enabled":true,"pwdExpirationDate":null,"pwdUpdateRequired":false})");
}

TEST(AccessDocument, ANewUserIsWhatTheDaemonReads) {
    auto document = some();
    auto wanted = new_user("bob");
    wanted.role = "mine";
    wanted.name = "Bob";
    wanted.email = "b@x";
    wanted.is_enabled = false;
    wanted.must_change_password = true;
    wanted.password_expires_at = 2000;
    document.create_user(wanted, now);

    const auto bob = AccessDatabase::parse(document.text()).find("bob");

    ASSERT_TRUE(bob);
    EXPECT_EQ(bob->password_hash, "$2b$12$z");
    EXPECT_TRUE(bob->may(Scope::pool, Permission::create));
    EXPECT_FALSE(bob->is_enabled);
    EXPECT_TRUE(bob->must_change_password);
    EXPECT_EQ(bob->password_expires_at, 2000);
    EXPECT_EQ(bob->last_update, changed);
}

TEST(AccessDocument, NoUserIsMadeOfARoleThatIsNotThereOfANameThatIsTakenOrOfAPasswordThatHasExpired) {
    auto document = some();
    const auto make = [&](const NewUser& user) { return failure([&] { document.create_user(user, now); }); };
    auto of_no_role = new_user("bob");
    of_no_role.role = "none";
    auto expired = new_user("bob");
    expired.password_expires_at = now - 1;
    EXPECT_EQ(make(of_no_role), failed(ENOENT, "Role 'none' does not exist"));
    EXPECT_EQ(make(new_user("anna")), failed(EEXIST, "User 'anna' already exists"));
    EXPECT_EQ(make(expired).first, EINVAL);
    EXPECT_EQ(document.text(), golden);
}

TEST(AccessDocument, ListsUsersInTheirOrder) {
    EXPECT_EQ(shown(some().user_names()), R"(["anna","Zoë"])");
}

TEST(AccessDocument, WhatIsDoneToAUserWhoIsNotThereFails) {
    auto document = some();
    const std::vector<std::function<void()>> acts{[&] { (void)document.user("none"); },
                                                  [&] { document.delete_user("none"); },
                                                  [&] { document.enable_user("none", true, now); },
                                                  [&] { document.set_password_hash("none", "h", now); },
                                                  [&] { document.set_roles("none", {"read-only"}, now); },
                                                  [&] { document.add_roles("none", {"read-only"}, now); },
                                                  [&] { document.delete_roles("none", {"read-only"}, now); },
                                                  [&] { document.set_info("none", "a", "b"); }};
    for (const auto& act : acts) EXPECT_EQ(failure(act), failed(ENOENT, "User 'none' does not exist"));
    EXPECT_EQ(document.text(), golden);
}

TEST(AccessDocument, AChangeOfAUserVoidsItsTokens) {
    const auto updated = [](const std::function<void(AccessDocument&)>& act) {
        auto document = some();
        act(document);
        return document.user("anna").at("lastUpdate").get<std::int64_t>();
    };
    EXPECT_EQ(updated([](auto& document) { document.enable_user("anna", false, now); }), changed);
    EXPECT_EQ(updated([](auto& document) { document.set_password_hash("anna", "h", now); }), changed);
    EXPECT_EQ(updated([](auto& document) { document.set_roles("anna", {}, now); }), changed);
    EXPECT_EQ(updated([](auto& document) { document.add_roles("anna", {"read-only"}, now); }), changed);
    EXPECT_EQ(updated([](auto& document) { document.delete_roles("anna", {"mine"}, now); }), changed);
    EXPECT_EQ(updated([](auto& document) { document.set_scope_permissions("mine", "osd", {"read"}, now); }), changed);
    EXPECT_EQ(updated([](auto& document) { document.delete_scope_permissions("mine", "pool", now); }), changed);
    EXPECT_EQ(updated([](auto& document) { document.set_info("anna", "A", "a@x"); }), 5);
    EXPECT_EQ(updated([](auto& document) { document.delete_user("Zoë"); }), 5);
}

TEST(AccessDocument, EachChangeVoidsTheTokensGivenSinceTheLast) {
    auto document = some();
    const auto disabled = [&](std::int64_t time) {
        return document.enable_user("anna", false, time).at("lastUpdate").get<std::int64_t>();
    };
    EXPECT_EQ(disabled(now), now + 2);
    EXPECT_EQ(disabled(now), now + 3);
    EXPECT_EQ(disabled(now + 1), now + 4);
    EXPECT_EQ(disabled(now + 100), now + 102);
    for (int n = 0; n < 100; ++n) disabled(now);
    EXPECT_EQ(disabled(now), now + 60) << "a token cannot be given of a later time";
}

TEST(AccessDocument, AnotherPasswordNeedNotBeChangedAndDoesNotExpire) {
    auto document = some();
    const auto& record = document.set_password_hash("Zoë", "$2b$12$n", now);
    EXPECT_EQ(record.at("password"), "$2b$12$n");
    EXPECT_EQ(record.at("pwdUpdateRequired"), false);
    EXPECT_TRUE(record.at("pwdExpirationDate").is_null());
    EXPECT_EQ(record.at("enabled"), false);
}

TEST(AccessDocument, RolesOfAUserAreASortedSet) {
    auto document = some();
    const auto roles = [](const AccessDocument::Record& record) { return shown(record.at("roles")); };
    EXPECT_EQ(roles(document.set_roles("anna", {"pool-manager", "mine", "mine"}, now)), R"(["mine","pool-manager"])");
    EXPECT_EQ(roles(document.add_roles("anna", {"administrator", "mine"}, now)),
              R"(["administrator","mine","pool-manager"])");
    EXPECT_EQ(roles(document.delete_roles("anna", {"mine", "administrator"}, now)), R"(["pool-manager"])");
}

TEST(AccessDocument, ARoleThatAUserDoesNotHaveCannotBeTaken) {
    auto document = some();
    EXPECT_EQ(failure([&] {
                  document.delete_roles("anna", {"mine", "pool-manager"}, now);
              }),
              failed(ENOENT, "Role 'pool-manager' is not associated with user 'anna'"));
    EXPECT_EQ(failure([&] { document.set_roles("anna", {"mine", "none"}, now); }).first, ENOENT);
    EXPECT_EQ(document.text(), golden);
}

TEST(AccessDocument, EmptyTextsLeaveWhoAUserIs) {
    auto document = some();
    EXPECT_EQ(document.set_info("anna", "", "a@x").at("name"), "Anna");
    EXPECT_EQ(document.set_info("anna", "Ann", "").at("email"), "a@x");
}

TEST(AccessDocument, HasItsOwnRolesAndThoseOfEverySystem) {
    const auto document = some();
    EXPECT_EQ(shown(document.role_names()),
              R"(["mine","administrator","read-only","block-manager","rgw-manager","cluster-manager","pool-manager",)"
              R"("cephfs-manager","ganesha-manager"])");
    EXPECT_EQ(shown(document.role("mine")),
              R"({"name":"mine","description":null,"scopes_permissions":{"pool":["create","read"]}})");
    const auto block = document.role("block-manager");
    EXPECT_EQ(block.at("name"), "block-manager");
    EXPECT_EQ(shown(block.at("scopes_permissions").at("pool")), R"(["read"])");
    EXPECT_EQ(block.at("scopes_permissions").size(), 5U);
    EXPECT_EQ(failure([&] { (void)document.role("none"); }), failed(ENOENT, "Role 'none' does not exist"));
}

TEST(AccessDocument, ANewRoleAllowsNothing) {
    auto document = some();
    EXPECT_EQ(shown(document.create_role("new", "what for")),
              R"({"name":"new","description":"what for","scopes_permissions":{}})");
    EXPECT_EQ(failure([&] { document.create_role("new", {}); }).first, EEXIST);
    EXPECT_EQ(failure([&] { document.create_role("read-only", {}); }).first, EEXIST);
}

TEST(AccessDocument, APermissionIsOfAScopeThatThereIs) {
    auto document = some();
    const auto& role = document.set_scope_permissions("mine", "osd", {"read", "delete", "read"}, now);
    EXPECT_EQ(shown(role.at("scopes_permissions")), R"({"pool":["create","read"],"osd":["delete","read"]})");
    const auto [code, text] = failure([&] { document.set_scope_permissions("mine", "nope", {"read"}, now); });
    EXPECT_EQ(code, EINVAL);
    EXPECT_THAT(text, HasSubstr("Scope 'nope' is not valid\n Possible values: ['cephfs', 'config-opt', "));
    EXPECT_EQ(
        failure([&] { document.set_scope_permissions("mine", "pool", {"fly"}, now); }),
        failed(EINVAL, "Permission 'fly' is not valid\n Possible values: ['create', 'delete', 'read', 'update']"));
}

TEST(AccessDocument, PermissionsThatARoleDoesNotHaveCannotBeTaken) {
    auto document = some();
    EXPECT_EQ(failure([&] { document.delete_scope_permissions("mine", "osd", now); }),
              failed(ENOENT, "There are no permissions for scope 'osd' in role 'mine'"));
    EXPECT_EQ(shown(document.delete_scope_permissions("mine", "pool", now).at("scopes_permissions")), "{}");
}

TEST(AccessDocument, RolesOfTheSystemStayAsTheyAre) {
    auto document = some();
    EXPECT_EQ(failure([&] { document.delete_role("read-only"); }).first, EPERM);
    EXPECT_EQ(failure([&] { document.set_scope_permissions("read-only", "pool", {"read"}, now); }).first, EPERM);
    EXPECT_EQ(failure([&] { document.delete_scope_permissions("read-only", "pool", now); }).first, EPERM);
    EXPECT_EQ(document.text(), golden);
}

TEST(AccessDocument, ARoleThatAUserHasIsNotDeleted) {
    auto document = some();
    EXPECT_EQ(failure([&] { document.delete_role("mine"); }),
              failed(EPERM, "Role 'mine' is still associated with user 'anna'"));
    document.set_roles("anna", {}, now);
    document.delete_role("mine");
    EXPECT_EQ(failure([&] { document.delete_role("mine"); }).first, ENOENT);
}

TEST(AccessDocument, WhatItDoesNotKnowIsKept) {
    auto document =
        AccessDocument::parse(R"({"users": {"a": {"username": "a", "roles": [], "more": {"b": [1, 2.5]}}}, )"
                              R"("roles": {}, "version": 3})");
    document.enable_user("a", true, now);
    EXPECT_EQ(document.text(), R"({"users": {"a": {"username": "a", "roles": [], "more": {"b": [1, 2.5]}, )"
                               R"("enabled": true, "lastUpdate": 1002}}, "roles": {}, "version": 3})");
}

}  // namespace
}  // namespace taskd::auth
