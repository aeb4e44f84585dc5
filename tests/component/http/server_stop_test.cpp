#include "test_server.hpp"

#include <future>
#include <list>
#include <optional>
#include <system_error>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace taskd::http::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

TEST(ServerStop, EndsIdleConnectionsAtOnce) {
    TestServer test;
    auto kept = test.connect();
    kept.send(get("/hello"));
    kept.response();
    auto fresh = test.connect();
    ASSERT_TRUE(eventually([&] { return test.server.statistics().connections_open == 2; }));

    const auto begin = std::chrono::steady_clock::now();
    test.server.stop(60s);

    EXPECT_LT(std::chrono::steady_clock::now() - begin, 30s) << "it waited for the grace time";
    EXPECT_EQ(kept.rest(), "");
    EXPECT_EQ(fresh.rest(), "");
}

TEST(ServerStop, LetsARequestInFlightEnd) {
    TestServer test({.threads = 2});
    auto connection = test.connect();
    connection.send(get("/gate"));
    ASSERT_TRUE(test.gate.is_reached());

    auto stopped = std::async(std::launch::async, [&] { test.server.stop(60s); });
    // New connections are refused from here on, the one in flight is not.
    ASSERT_TRUE(eventually([&] {
        try {
            test.connect();
            return false;
        } catch (const std::system_error&) {
            return true;
        }
    }));
    ASSERT_TRUE(test.gate.release_one());

    const auto response = connection.response();
    EXPECT_EQ(body_of(response), "released");
    EXPECT_THAT(response, HasSubstr("\r\nConnection: close\r\n"));
    stopped.get();
}

TEST(ServerStop, CutsWhatDoesNotEndWithinTheGraceTime) {
    TestServer test;
    auto waiting = test.connect();
    waiting.send(get("/gate"));
    ASSERT_TRUE(test.gate.is_reached());
    auto half_sent = test.connect();
    half_sent.send("GET /hello HTT");

    test.server.stop(20ms);

    EXPECT_EQ(waiting.rest(), "");
    EXPECT_EQ(half_sent.rest(), "");
    EXPECT_TRUE(test.gate.release_one()) << "the callback outlives the handler";
}

TEST(ServerStop, CanBeRepeatedAndConcurrent) {
    TestServer test;
    auto one = std::async(std::launch::async, [&] { test.server.stop(1s); });
    auto other = std::async(std::launch::async, [&] { test.server.stop(1s); });
    one.get();
    other.get();

    test.server.stop(0ms);
    EXPECT_THROW(test.connect(), std::system_error);
}

TEST(ServerStop, EndsAServerThatNeverStarted) {
    Gate gate;
    ServerOptions options;
    options.listen = {Endpoint::tcp("127.0.0.1", 0)};
    std::optional<Server> server;
    server.emplace(options, test_router(gate));
    const auto endpoint = server->endpoints().front();

    server.reset();

    EXPECT_THROW(RawConnection{endpoint}, std::system_error);
}

TEST(ServerStop, UnderLoadLosesNothingAndEnds) {
    for (int round = 0; round < 5; ++round) {
        TestServer test({.threads = 2});
        std::list<RawConnection> connections;
        for (int count = 0; count < 20; ++count) {
            connections.push_back(test.connect());
            connections.back().send_what_fits(get("/hello") + get("/large") + get("/gate"));
        }

        test.server.stop(5ms);

        for (auto& connection : connections) connection.rest();
        EXPECT_EQ(test.server.statistics().session_failures, 0);
    }
}

}  // namespace
}  // namespace taskd::http::test
