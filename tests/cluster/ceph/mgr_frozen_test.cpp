#include "ceph/checked_caller.hpp"
#include "ceph/cluster_status.hpp"
#include "ceph/command_sender.hpp"
#include "support/cluster.hpp"
#include "support/collected.hpp"

#include <cerrno>
#include <thread>

#include <gmock/gmock.h>

namespace taskd::ceph {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

const auto& cluster = test::TestCluster::for_all_tests();

std::shared_ptr<Cluster> connect() {
    ClusterOptions options;
    options.conf = cluster.conf();
    options.mon_op_timeout = std::chrono::seconds(1);
    return Cluster::connect(options);
}

const CommandTarget mon{CommandTarget::Kind::mon, ""};
const CommandTarget mgr{CommandTarget::Kind::mgr, ""};

int code_of(const CommandAnswer& answer) {
    if (!answer.error) return -answer.result.return_code;
    try {
        std::rethrow_exception(answer.error);
    } catch (const Error& error) {
        return error.errno_value();
    }
}

// With rados_mon_op_timeout on the handle that sends them, the late answers of these commands end the process with
// SIGSEGV in librados 16.2.15: see LibradosCaller.
TEST(FrozenMgr, IsAnsweredForAndItsLateAnswersDoNoHarm) {
    const auto connected = connect();
    CommandSender sender(std::make_shared<LibradosCaller>([&] { return connected; }), {.deadline = 2s});
    test::Collected<int> codes;
    const auto collect = [&](const CommandAnswer& answer) { codes.add(code_of(answer)); };
    // A fresh cluster's mgr may not be there yet.
    sender.send(mgr, {{"prefix", "pg stat"}}, "", collect);
    codes.wait_for(1);

    {
        const test::Frozen frozen(cluster, "mgr.x");
        for (int n = 0; n < 8; ++n) sender.send(mgr, {{"prefix", "pg stat"}}, "", collect);
        EXPECT_EQ(codes.wait_for(9)[8], ETIMEDOUT);
        sender.send(mon, {{"prefix", "status"}}, "", collect);
        EXPECT_EQ(codes.wait_for(10)[9], 0) << "the monitors answer meanwhile";
    }
    while (sender.load().running > 0) std::this_thread::yield();  // the late answers have come
    sender.send(mgr, {{"prefix", "pg stat"}}, "", collect);

    EXPECT_EQ(codes.wait_for(11)[10], 0);
}

TEST(ClusterStatus, FollowsTheCluster) {
    const auto connected = connect();
    CommandSender sender(std::make_shared<CheckedCaller>(std::make_shared<LibradosCaller>([&] { return connected; })));
    ClusterStatus status(sender, {.interval = 50ms, .stale_after = 2s});
    const auto wait_until = [](const auto& condition) {
        while (!condition()) std::this_thread::yield();
    };
    // A fresh cluster's mgr may not be there yet.
    wait_until([&] { return status.current().have_mon_connection && !status.current().snapshot->mgr_id.empty(); });

    const auto view = status.current();
    EXPECT_EQ(view.snapshot->fsid, connected->fsid());
    EXPECT_THAT(view.snapshot->health_status, ::testing::StartsWith("HEALTH_"));
    EXPECT_EQ(view.snapshot->mgr_id, "x");
    EXPECT_THAT(view.snapshot->version, ::testing::MatchesRegex("ceph version 16.2.15 \\(.*\\) pacific \\(stable\\)"));

    {
        const test::Frozen frozen(cluster, "mon.a");
        wait_until([&] { return !status.current().have_mon_connection; });
        EXPECT_NE(status.current().snapshot, nullptr);
    }
    wait_until([&] { return status.current().have_mon_connection; });
}

}  // namespace
}  // namespace taskd::ceph
