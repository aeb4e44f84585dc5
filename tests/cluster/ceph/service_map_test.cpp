#include "ceph/service_map.hpp"

#include "support/cluster.hpp"

#include <chrono>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>
#include <taskd/error.hpp>

namespace taskd::ceph {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

const auto& cluster = test::TestCluster::for_all_tests();

/// Asks until the answer has what the mgr learns with a beacon of ours, every 5 s at most.
json wait_for(const std::string& command, const std::function<bool(const json&)>& there) {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    json answer;
    do {
        answer = json::parse(cluster.run(command));
    } while (!there(answer) && std::chrono::steady_clock::now() < give_up);
    return answer;
}

TEST(ServiceMap, ShowsTheDaemonItsMetadataAndItsStatus) {
    ClusterOptions options;
    options.conf = cluster.conf();
    const auto connected = Cluster::connect(options);
    auto metadata = own_metadata(*connected, "0.1.0");
    metadata["url"] = "https://127.0.0.1:8443/";

    ServiceMapEntry entry(connected, "front.1", metadata);
    entry.update_status({{"queue", "3 waiting"}});

    const json::json_pointer daemon("/services/taskd/daemons/front.1");
    const auto dump = wait_for("ceph service dump -f json", [&](const json& map) { return map.contains(daemon); });
    ASSERT_TRUE(dump.contains(daemon)) << dump;
    EXPECT_EQ(dump[daemon]["metadata"]["ceph_taskd_version"], "0.1.0");
    EXPECT_EQ(dump[daemon]["metadata"]["url"], "https://127.0.0.1:8443/");
    EXPECT_EQ(dump[daemon]["metadata"]["pid"], std::to_string(getpid()));
    EXPECT_EQ(dump[daemon]["metadata"]["addrs"], connected->addresses());

    const json::json_pointer state("/taskd/front.1/status/queue");
    const auto status = wait_for("ceph service status -f json", [&](const json& map) { return map.contains(state); });
    EXPECT_EQ(status.value(state, ""), "3 waiting") << status;

    EXPECT_THAT(cluster.run("ceph -s"), HasSubstr("taskd: 1 daemon active"));
}

TEST(ServiceMap, RefusesWhatItCannotHold) {
    ClusterOptions options;
    options.conf = cluster.conf();
    const auto connected = Cluster::connect(options);

    EXPECT_THROW(ServiceMapEntry(connected, "front.2", {{"", "x"}}), BadRequest);
    EXPECT_THROW(ServiceMapEntry(connected, "front.2", {{"k", std::string("a\0b", 3)}}), BadRequest);
}

}  // namespace
}  // namespace taskd::ceph
