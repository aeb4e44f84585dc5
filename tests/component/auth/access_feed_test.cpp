#include "auth/access_feed.hpp"

#include "support/fake_command_caller.hpp"

#include <cerrno>
#include <future>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include <gmock/gmock.h>

namespace taskd::auth {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

/// The config-key store of a cluster, and a feed that reads it.
class AccessFeedTest : public ::testing::Test {
  protected:
    ceph::CommandResult answer(const json& command) {
        const std::lock_guard lock(mutex);
        if (command.at("prefix") == "config get") return {0, {}, "60\n"};
        const auto key = command.at("key").get<std::string>();
        if (!refused.empty() && key.starts_with(refused)) return {-EACCES, "access denied", {}};
        if (command.at("prefix") == "config-key set") {
            keys[key] = command.at("val").get<std::string>();
            return {};
        }
        const auto found = keys.find(key);
        return found == keys.end() ? ceph::CommandResult{-ENOENT, "no such key", {}}
                                   : ceph::CommandResult{0, {}, found->second};
    }

    void set(const std::string& key, const std::string& value) {
        const std::lock_guard lock(mutex);
        keys[key] = value;
    }
    void remove(const std::string& key) {
        const std::lock_guard lock(mutex);
        keys.erase(key);
    }
    std::string value(const std::string& key) {
        const std::lock_guard lock(mutex);
        return keys[key];
    }
    /// An administrator of that name, and a secret of its own.
    void has_user(const std::string& prefix, const std::string& name) {
        const json users{{name, {{"password", "h"}, {"roles", {"administrator"}}, {"lastUpdate", 1}}}};
        set(prefix + "jwt_secret", "secret of " + prefix);
        set(prefix + "accessdb_v2", json{{"users", users}, {"roles", json::object()}}.dump());
    }

    void start(std::optional<AccessSource> source = {}) {
        AccessFeedOptions options;
        options.interval = 1ms;
        options.source = source;
        feed.emplace(sender, options);
    }
    std::shared_ptr<const AccessState> state_with(const std::string& name) {
        for (;;) {
            auto state = feed->current();
            if (state && state->users.find(name)) return state;
            std::this_thread::yield();
        }
    }
    /// It has seen what there is: more questions than those of two rounds have been asked.
    void let_it_look() { caller->wait_for_calls(caller->calls().size() + 20); }

    std::mutex mutex;
    std::map<std::string, std::string> keys;
    std::string refused;  ///< Keys that begin so may not be read.
    std::shared_ptr<test::FakeCommandCaller> caller = std::make_shared<test::FakeCommandCaller>(
        [this](const ceph::CommandTarget& /*target*/, const json& command) { return answer(command); });
    ceph::CommandSender sender{caller};
    std::optional<AccessFeed> feed;
};

TEST_F(AccessFeedTest, TheDashboardsUsersHoldWhereThereAreAny) {
    has_user("mgr/dashboard/", "theirs");
    has_user("ceph-taskd/", "ours");
    start();
    const auto state = state_with("theirs");
    EXPECT_EQ(state->source, AccessSource::dashboard);
    EXPECT_FALSE(state->users.find("ours"));
    EXPECT_EQ(state->secret, "secret of mgr/dashboard/");
    EXPECT_EQ(state->token_lifetime, 60s);
}

TEST_F(AccessFeedTest, OurOwnHoldWhereTheDashboardHasNone) {
    has_user("ceph-taskd/", "ours");
    set("ceph-taskd/jwt_token_ttl", "120");
    start();
    const auto state = state_with("ours");
    EXPECT_EQ(state->source, AccessSource::own);
    EXPECT_EQ(state->secret, "secret of ceph-taskd/");
    EXPECT_EQ(state->token_lifetime, 120s);
}

TEST_F(AccessFeedTest, FollowsADashboardThatComesAndGoes) {
    has_user("ceph-taskd/", "ours");
    start();
    state_with("ours");
    has_user("mgr/dashboard/", "theirs");
    EXPECT_FALSE(state_with("theirs")->users.find("ours"));
    remove("mgr/dashboard/accessdb_v2");
    EXPECT_FALSE(state_with("ours")->users.find("theirs"));
}

TEST_F(AccessFeedTest, WhatIsDecidedStaysSo) {
    has_user("mgr/dashboard/", "theirs");
    has_user("ceph-taskd/", "ours");
    start(AccessSource::own);
    EXPECT_EQ(state_with("ours")->source, AccessSource::own);
    let_it_look();
    EXPECT_EQ(state_with("ours")->source, AccessSource::own);
    for (const auto& [target, command] : caller->calls())
        EXPECT_EQ(command.dump().find("mgr/dashboard"), std::string::npos) << command;
}

TEST_F(AccessFeedTest, NobodyLogsInAtADashboardWithoutUsersThatIsToHold) {
    has_user("ceph-taskd/", "ours");
    start(AccessSource::dashboard);
    let_it_look();
    EXPECT_FALSE(feed->current());
}

TEST_F(AccessFeedTest, WithoutUsersOfOurOwnThereIsNobody) {
    start();
    while (!feed->current()) std::this_thread::yield();
    EXPECT_TRUE(feed->current()->users.is_empty());
    EXPECT_FALSE(feed->current()->authenticate("x", 1));
    has_user("ceph-taskd/", "first");
    EXPECT_TRUE(state_with("first"));
}

TEST_F(AccessFeedTest, WhereItMayNotLookForADashboardNobodyLogsIn) {
    has_user("ceph-taskd/", "ours");
    refused = "mgr/dashboard/";
    start();
    let_it_look();
    EXPECT_FALSE(feed->current()) << "users that need not hold";
}

TEST_F(AccessFeedTest, WhatWasReadLastCountsWhileNothingCanBeRead) {
    has_user("ceph-taskd/", "ours");
    start();
    state_with("ours");
    {
        const std::lock_guard lock(mutex);
        refused = "mgr/dashboard/";
    }
    let_it_look();
    EXPECT_TRUE(state_with("ours"));
}

TEST_F(AccessFeedTest, WithoutSecretNobodyHasAToken) {
    has_user("ceph-taskd/", "ours");
    start();
    state_with("ours");
    remove("ceph-taskd/jwt_secret");
    while (feed->current()) std::this_thread::yield();
}

TEST_F(AccessFeedTest, ALogoutIsWrittenWhereTheUsersAre) {
    has_user("ceph-taskd/", "ours");
    start();
    const auto state = state_with("ours");
    const auto text = sign({"one", "ours", numeric_date_now(), numeric_date_now() + 60}, state->secret);
    ASSERT_TRUE(state->authenticate(text, numeric_date_now()));
    std::promise<bool> written;

    feed->revoke(*verify(text, state->secret), [&](bool is_written) { written.set_value(is_written); });

    EXPECT_FALSE(feed->current()->authenticate(text, numeric_date_now()));
    EXPECT_TRUE(written.get_future().get());
    EXPECT_TRUE(json::parse(value("ceph-taskd/jwt_token_block_list")).contains("one"));
    EXPECT_EQ(value("mgr/dashboard/jwt_token_block_list"), "");
}

}  // namespace
}  // namespace taskd::auth
