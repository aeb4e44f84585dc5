#include "auth/access_database.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>
#include <taskd/error.hpp>

namespace taskd::auth {
namespace {

using nlohmann::json;

json user(json roles) {
    return {{"username", "u"},           {"password", "$2b$12$x"},
            {"roles", std::move(roles)}, {"name", nullptr},
            {"email", nullptr},          {"lastUpdate", 1000},
            {"enabled", true},           {"pwdExpirationDate", nullptr},
            {"pwdUpdateRequired", false}};
}

AccessDatabase database_of(const json& users, const json& roles = json::object()) {
    return AccessDatabase::parse(json{{"version", 2}, {"users", users}, {"roles", roles}}.dump());
}

TEST(AccessDatabase, TellsWhatAUserIs) {
    auto record = user({"administrator"});
    record["pwdExpirationDate"] = 5000;
    record["pwdUpdateRequired"] = true;
    const auto found = database_of({{"admin", record}}).find("admin");
    ASSERT_TRUE(found);
    EXPECT_EQ(found->name, "admin");
    EXPECT_EQ(found->password_hash, "$2b$12$x");
    EXPECT_EQ(found->last_update, 1000);
    EXPECT_EQ(found->password_expires_at, 5000);
    EXPECT_TRUE(found->is_enabled);
    EXPECT_TRUE(found->must_change_password);
    EXPECT_TRUE(found->is_administrator());
}

TEST(AccessDatabase, KnowsNobodyElse) {
    EXPECT_FALSE(database_of({{"admin", user({"administrator"})}}).find("Admin"));
    EXPECT_FALSE(AccessDatabase().find(""));
}

TEST(AccessDatabase, KnowsTheRolesThatEveryClusterHas) {
    const auto database = database_of({{"reader", user({"read-only"})}, {"block", user({"block-manager"})}});
    const auto reader = database.find("reader");
    EXPECT_TRUE(reader->may(Scope::rbd_image, Permission::read));
    EXPECT_FALSE(reader->may(Scope::rbd_image, Permission::create));
    EXPECT_FALSE(reader->may(Scope::config_opt, Permission::read));
    EXPECT_FALSE(reader->is_administrator());
    const auto block = database.find("block");
    EXPECT_TRUE(block->may(Scope::rbd_image, Permission::remove));
    EXPECT_TRUE(block->may(Scope::pool, Permission::read));
    EXPECT_FALSE(block->may(Scope::pool, Permission::create));
}

TEST(AccessDatabase, KnowsCustomRoles) {
    const auto found = database_of({{"u", user({"mine"})}},
                                   {{"mine", {{"name", "mine"}, {"scopes_permissions", {{"rbd-image", {"delete"}}}}}}})
                           .find("u");
    EXPECT_TRUE(found->may(Scope::rbd_image, Permission::remove));
    EXPECT_FALSE(found->may(Scope::rbd_image, Permission::read));
    EXPECT_EQ(found->permissions().to_json(), json({{"rbd-image", {"delete"}}}));
}

TEST(AccessDatabase, RolesDoNotAddUpToAnAdministrator) {
    const auto found = database_of({{"u", user({"cluster-manager", "block-manager", "pool-manager"})}}).find("u");
    EXPECT_TRUE(found->may(Scope::osd, Permission::update));
    EXPECT_TRUE(found->may(Scope::pool, Permission::update));
    EXPECT_FALSE(found->is_administrator());
}

TEST(AccessDatabase, WhatItDoesNotKnowAllowsNothing) {
    const auto found =
        database_of({{"u", user({"gone", "mine"})}},
                    {{"mine", {{"scopes_permissions", {{"nvme", {"read"}}, {"pool", {"fly", 7}}, {"osd", "read"}}}}}})
            .find("u");
    EXPECT_EQ(found->permissions().to_json(), json::object());
}

TEST(AccessDatabase, LeavesOutARecordThatCannotBeRead) {
    auto broken = user({"administrator"});
    broken.erase("password");
    const auto database = database_of({{"broken", broken}, {"odd", 7}, {"ok", user({"read-only"})}});
    EXPECT_FALSE(database.find("broken"));
    EXPECT_FALSE(database.find("odd"));
    EXPECT_TRUE(database.find("ok"));
}

// Found by a fuzzer: what becomes of a number beyond std::int64_t was undefined.
TEST(AccessDatabase, LeavesOutAUserWhoseTimesAreNone) {
    for (const auto* member : {"lastUpdate", "pwdExpirationDate"}) {
        for (const auto& bad : {json(2.00006e84), json(1.5), json("7"), json(UINT64_MAX)}) {
            auto record = user({"administrator"});
            record[member] = bad;
            EXPECT_FALSE(database_of({{"u", record}}).find("u")) << member << ' ' << bad;
        }
    }
}

TEST(AccessDatabase, RefusesWhatIsNone) {
    for (const auto* text : {"", "garbage", "[]", "{}", R"({"users": []})"})
        EXPECT_THROW(AccessDatabase::parse(text), Error) << text;
}

}  // namespace
}  // namespace taskd::auth
