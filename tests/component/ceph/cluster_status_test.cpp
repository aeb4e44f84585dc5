#include "ceph/cluster_status.hpp"

#include "support/fake_command_caller.hpp"
#include "support/manual_clock.hpp"

#include <atomic>
#include <cerrno>
#include <latch>
#include <thread>

#include <gtest/gtest.h>

namespace taskd::ceph {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

/// A small healthy cluster.
CommandResult healthy(const CommandTarget&, const json& command) {
    const auto prefix = command["prefix"].get<std::string>();
    json answer;
    if (prefix == "status")
        answer = {{"fsid", "f"},
                  {"health", {{"status", "HEALTH_OK"}}},
                  {"mgrmap", {{"services", {{"dashboard", "http://127.0.0.1:8080/"}}}}}};
    if (prefix == "mgr stat") answer = {{"active_name", "x"}};
    if (prefix == "version") answer = {{"version", "ceph version 16.2.15 (abc) pacific (stable)"}};
    return {0, "", answer.dump()};
}

void wait_until(const std::function<bool()>& condition) {
    while (!condition()) std::this_thread::yield();
}

TEST(ClusterStatus, KnowsTheClusterAfterTheFirstPoll) {
    CommandSender sender(std::make_shared<test::FakeCommandCaller>(&healthy));
    ClusterStatus status(sender, {.interval = 1h});

    wait_until([&] { return status.current().snapshot != nullptr; });

    const auto view = status.current();
    EXPECT_TRUE(view.have_mon_connection);
    EXPECT_EQ(view.error, "");
    EXPECT_EQ(view.snapshot->fsid, "f");
    EXPECT_EQ(view.snapshot->health_status, "HEALTH_OK");
    EXPECT_EQ(view.snapshot->mgr_id, "x");
    EXPECT_EQ(view.snapshot->mgr_url, "http://127.0.0.1:8080/");
    EXPECT_EQ(view.snapshot->version, "ceph version 16.2.15 (abc) pacific (stable)");
}

TEST(ClusterStatus, SaysNothingBeforeTheFirstAnswer) {
    std::latch never{1};
    CommandSender sender(std::make_shared<test::FakeCommandCaller>([&](const CommandTarget&, const json&) {
        never.wait();
        return CommandResult();
    }));
    ClusterStatus status(sender);

    EXPECT_EQ(status.current().snapshot, nullptr);
    EXPECT_FALSE(status.current().have_mon_connection);
    never.count_down();
}

TEST(ClusterStatus, LosesTheConnectionWhenTheLastAnswerGrowsOld) {
    test::ManualClock clock;
    CommandSender sender(std::make_shared<test::FakeCommandCaller>(&healthy));
    ClusterStatus status(sender, {.interval = 1h, .stale_after = 10s, .clock = &clock});
    wait_until([&] { return status.current().snapshot != nullptr; });

    clock.advance(9s);
    EXPECT_TRUE(status.current().have_mon_connection);
    clock.advance(1s);

    const auto view = status.current();
    EXPECT_FALSE(view.have_mon_connection);
    EXPECT_EQ(view.age, 10s);
    EXPECT_EQ(view.snapshot->health_status, "HEALTH_OK") << "the last known state stays";
}

TEST(ClusterStatus, SaysWhyAPollFailed) {
    CommandSender sender(std::make_shared<test::FakeCommandCaller>([&](const CommandTarget&, const json&) {
        return CommandResult{-ETIMEDOUT, "", ""};
    }));
    ClusterStatus status(sender, {.interval = 1h});

    wait_until([&] { return status.current().error == "[errno 110] RADOS timed out (mon command 'status')"; });
}

TEST(ClusterStatus, NeverAsksTwiceAtOnce) {
    std::latch answering{1};
    std::atomic<int> mon_calls{0};
    const auto caller =
        std::make_shared<test::FakeCommandCaller>([&](const CommandTarget& target, const json& command) {
            ++mon_calls;
            answering.wait();
            return healthy(target, command);
        });
    CommandSender sender(caller);
    ClusterStatus status(sender, {.interval = 1ms});
    wait_until([&] { return mon_calls > 0; });

    for (int n = 0; n < 50; ++n) status.poll_now();

    EXPECT_EQ(mon_calls, 1);
    answering.count_down();
    wait_until([&] { return mon_calls > 3; });
}

TEST(ClusterStatus, LivesWithAnAnswerOfAnotherForm) {
    CommandSender sender(std::make_shared<test::FakeCommandCaller>([&](const CommandTarget&, const json&) {
        return CommandResult{0, "", "[5]"};
    }));
    ClusterStatus status(sender, {.interval = 1h});

    wait_until([&] { return status.current().snapshot != nullptr; });

    EXPECT_EQ(status.current().snapshot->health_status, "");
}

}  // namespace
}  // namespace taskd::ceph
