#include "ceph/checked_caller.hpp"

#include "support/fake_command_caller.hpp"
#include "support/manual_clock.hpp"
#include "unit/ceph/recorded_descriptions.hpp"

#include <atomic>
#include <cerrno>
#include <latch>
#include <thread>

#include <gtest/gtest.h>

namespace taskd::ceph {
namespace {

using nlohmann::json;

const CommandTarget monitors{CommandTarget::Kind::mon, ""};
const CommandTarget pg{CommandTarget::Kind::pg, "1.2a"};

bool asks_for_table(const json& command) {
    return command["prefix"] == "get_command_descriptions";
}

/// Daemons of 16.2.15 that accept everything, as far as the descriptions recorded from them go.
CommandResult recorded(const CommandTarget& target, const json& command) {
    if (!asks_for_table(command)) return {0, "done", ""};
    return {0, "", std::string(target == monitors ? test::mon_descriptions : test::osd_descriptions)};
}

std::size_t fetches(const test::FakeCommandCaller& caller) {
    std::size_t count = 0;
    for (const auto& [target, command] : caller.calls()) count += asks_for_table(command) ? 1 : 0;
    return count;
}

struct CheckedCallerTest : ::testing::Test {
    std::shared_ptr<test::FakeCommandCaller> daemons = std::make_shared<test::FakeCommandCaller>(&recorded);
    test::ManualClock clock;
    CheckedCaller caller{daemons, {.clock = &clock}};
};

TEST_F(CheckedCallerTest, SendsWhatFitsTheTable) {
    EXPECT_EQ(caller.call(monitors, {{"prefix", "status"}, {"format", "json"}}, "").status, "done");

    EXPECT_EQ(daemons->calls().back().second, json({{"prefix", "status"}, {"format", "json"}}));
}

TEST_F(CheckedCallerTest, NeverSendsWhatDoesNot) {
    for (const char* text : {R"({"prefix": 5})", R"({"prefix": "status", "format": 5})", R"({"prefix": "nonesuch"})",
                             R"({"prefix": "osd dump", "epoch": "1"})"})
        EXPECT_THROW(caller.call(monitors, json::parse(text), ""), BadRequest) << text;

    EXPECT_EQ(daemons->calls().size(), fetches(*daemons));
}

TEST_F(CheckedCallerTest, FetchesATableOnce) {
    for (int n = 0; n < 5; ++n) caller.call(monitors, {{"prefix", "status"}}, "");

    EXPECT_EQ(fetches(*daemons), 1U);
}

TEST_F(CheckedCallerTest, FetchesAnOldTableAgain) {
    caller.call(monitors, {{"prefix", "status"}}, "");
    clock.advance(std::chrono::minutes(11));

    caller.call(monitors, {{"prefix", "status"}}, "");

    EXPECT_EQ(fetches(*daemons), 2U);
}

TEST_F(CheckedCallerTest, LooksAgainForAnUnknownCommandButNotEachTime) {
    EXPECT_THROW(caller.call(monitors, {{"prefix", "nonesuch"}}, ""), BadRequest);
    EXPECT_THROW(caller.call(monitors, {{"prefix", "nonesuch"}}, ""), BadRequest);
    EXPECT_EQ(fetches(*daemons), 1U);
    clock.advance(std::chrono::seconds(6));

    EXPECT_THROW(caller.call(monitors, {{"prefix", "nonesuch"}}, ""), BadRequest);

    EXPECT_EQ(fetches(*daemons), 2U);
}

TEST_F(CheckedCallerTest, GivesAPgItsId) {
    caller.call(pg, {{"prefix", "query"}}, "");
    EXPECT_EQ(daemons->calls().back().second, json({{"prefix", "query"}, {"pgid", "1.2a"}}));

    caller.call(pg, {{"prefix", "pg"}, {"cmd", "query"}}, "");
    EXPECT_EQ(daemons->calls().back().second, json({{"prefix", "pg"}, {"cmd", "query"}, {"pgid", "1.2a"}}));

    EXPECT_THROW(caller.call(pg, {{"prefix", "query"}, {"pgid", "1.3"}}, ""), BadRequest);
}

TEST_F(CheckedCallerTest, ShowsTheTableItHasWithoutFetching) {
    EXPECT_EQ(caller.cached_table(monitors), nullptr);
    caller.call(monitors, {{"prefix", "status"}}, "");

    EXPECT_TRUE(caller.cached_table(monitors)->knows("status"));
    EXPECT_EQ(caller.cached_table(pg), nullptr);
}

TEST(CheckedCaller, SendsNothingWithoutATable) {
    const auto daemons = std::make_shared<test::FakeCommandCaller>([](const CommandTarget&, const json&) {
        return CommandResult{-ETIMEDOUT, "", ""};
    });
    CheckedCaller caller(daemons);

    try {
        caller.call(monitors, {{"prefix", "status"}}, "");
        FAIL() << "sent";
    } catch (const Error& error) {
        EXPECT_EQ(error.errno_value(), ETIMEDOUT);
    }
    EXPECT_EQ(daemons->calls().size(), 1U);
    EXPECT_TRUE(asks_for_table(daemons->calls()[0].second));
}

TEST(CheckedCaller, SharesOneFetchAmongThoseWhoNeedIt) {
    constexpr int callers = 8;
    std::latch fetching{1};
    std::atomic<int> sent{0};
    const auto daemons =
        std::make_shared<test::FakeCommandCaller>([&](const CommandTarget& target, const json& command) {
            if (asks_for_table(command)) fetching.wait();
            return recorded(target, command);
        });
    CheckedCaller caller(daemons);

    std::vector<std::thread> threads;
    for (int n = 0; n < callers; ++n)
        threads.emplace_back([&] {
            caller.call(monitors, {{"prefix", "status"}}, "");
            ++sent;
        });
    daemons->wait_for_calls(1);
    fetching.count_down();
    for (auto& thread : threads) thread.join();

    EXPECT_EQ(sent, callers);
    EXPECT_EQ(fetches(*daemons), 1U);
}

}  // namespace
}  // namespace taskd::ceph
