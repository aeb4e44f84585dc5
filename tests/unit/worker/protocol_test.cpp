#include "worker/protocol.hpp"

#include "worker/frame.hpp"

#include <gtest/gtest.h>

namespace taskd::worker::protocol {
namespace {

using nlohmann::json;

/// As the other side gets it.
json sent(const json& message) {
    return FrameReader().feed(encode_frame(message)).at(0);
}

TEST(Protocol, SetupKeepsHowToReachTheCluster) {
    protocol::Setup setup;
    setup.cluster.conf = "/etc/ceph/other.conf";
    setup.cluster.name = "client.taskd";
    setup.cluster.keyring = "/etc/ceph/keyring";
    setup.cluster.connect_timeout = std::chrono::seconds(7);
    setup.most_jobs = 64;
    setup.nice = -3;

    const auto message = sent(protocol::setup(setup));
    const auto read = parse_setup(message);

    EXPECT_EQ(message["type"], setup_type);
    EXPECT_EQ(json(read.cluster), json(setup.cluster));
    EXPECT_EQ(read.most_jobs, 64U);
    EXPECT_EQ(read.nice, -3);
}

TEST(Protocol, AnOrderArrivesAsItWas) {
    const WorkOrder order{"01ARZ", "rbd/create", {{"name", "x"}, {"size", 4096}, {"namespace", nullptr}}, 3};

    const auto message = sent(run(order));
    const auto read = parse_run(message);

    EXPECT_EQ(message["type"], run_type);
    EXPECT_EQ(read.id, order.id);
    EXPECT_EQ(read.operation, order.operation);
    EXPECT_EQ(read.arguments, order.arguments);
    EXPECT_EQ(read.attempt, 3);
}

TEST(Protocol, OtherMessagesAreWhatTheyAreCalled) {
    EXPECT_EQ(sent(cancel("01ARZ")), json({{"type", cancel_type}, {"id", "01ARZ"}}));
    EXPECT_EQ(sent(ready("127.0.0.1:0/12")), json({{"type", ready_type}, {"addresses", "127.0.0.1:0/12"}}));
    EXPECT_EQ(sent(unavailable({{"detail", "no"}})), json({{"type", unavailable_type}, {"error", {{"detail", "no"}}}}));
    EXPECT_EQ(sent(progress("01ARZ", 42)), json({{"type", progress_type}, {"id", "01ARZ"}, {"percent", 42}}));
    EXPECT_EQ(sent(result("01ARZ", {{"a", 1}}, nullptr)),
              json({{"type", result_type}, {"id", "01ARZ"}, {"value", {{"a", 1}}}, {"error", nullptr}}));
}

TEST(Protocol, AMessageThatLacksAPartIsRefused) {
    EXPECT_THROW(parse_run({{"type", run_type}, {"id", "01ARZ"}}), json::exception);
    EXPECT_THROW(parse_setup({{"type", setup_type}}), json::exception);
}

}  // namespace
}  // namespace taskd::worker::protocol
