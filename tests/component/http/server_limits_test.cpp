#include "test_server.hpp"

#include <list>

#include <sys/resource.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace taskd::http::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

/// All time limits far beyond a test, so that a test can shorten the one that it is about.
ServerOptions patient() {
    ServerOptions options;
    options.header_timeout = options.body_timeout = options.write_timeout = options.idle_timeout = 60s;
    return options;
}

/// Keeps the process from opening another descriptor while it lives.
class NoMoreDescriptors {
  public:
    NoMoreDescriptors() {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        const FileDescriptor next(::dup(0));
        const rlimit now{static_cast<rlim_t>(next.get()), before_.rlim_max};
        ::setrlimit(RLIMIT_NOFILE, &now);
    }
    ~NoMoreDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
    NoMoreDescriptors(const NoMoreDescriptors&) = delete;
    NoMoreDescriptors& operator=(const NoMoreDescriptors&) = delete;

  private:
    rlimit before_{};
};

TEST(ServerLimits, TooLargeAHeaderIs431) {
    TestServer test;
    auto connection = test.connect();

    connection.send(get("/hello", "X-Large: " + std::string(20'000, 'x') + "\r\n"));

    EXPECT_EQ(status_of(connection.response()), 431);
    EXPECT_EQ(connection.rest(), "");
}

TEST(ServerLimits, TooLargeABodyIs413EvenForAClientThatSendsAllOfIt) {
    TestServer test;
    auto connection = test.connect();

    connection.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 2000000\r\n\r\n" + std::string(2'000'000, 'x'));

    const auto response = connection.response();
    EXPECT_EQ(status_of(response), 413);
    EXPECT_TRUE(nlohmann::json::accept(body_of(response)));
    EXPECT_EQ(connection.rest(), "");
}

TEST(ServerLimits, TooManyConnectionsAre503) {
    auto options = patient();
    options.connections = 1;
    TestServer test(options);
    auto served = test.connect();
    served.send(get("/hello"));
    served.response();

    auto refused = test.connect();
    const auto response = refused.response();
    EXPECT_EQ(status_of(response), 503);
    EXPECT_THAT(response, HasSubstr("\r\nRetry-After: 1\r\n"));
    EXPECT_EQ(refused.rest(), "");
    EXPECT_EQ(test.server.statistics().connections_refused, 1);

    served.close();
    ASSERT_TRUE(eventually([&] { return test.server.statistics().connections_open == 0; }));
    auto next = test.connect();
    next.send(get("/hello"));
    EXPECT_EQ(status_of(next.response()), 200);
}

TEST(ServerLimits, TooManyConnectionsOfOneAddressAre503) {
    auto options = patient();
    options.connections_per_address = 1;
    TestServer test(options);
    auto served = test.connect();
    served.send(get("/hello"));
    served.response();

    EXPECT_EQ(status_of(test.connect().response()), 503);
}

TEST(ServerLimits, LargeBodiesShareTheirMemory) {
    auto options = patient();
    options.bodies_bytes = 100'000;
    TestServer test(options);
    const std::string head = "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 80000\r\n\r\n";
    auto first = test.connect();
    first.send(head + std::string(70'000, 'x'));
    auto second = test.connect();
    ASSERT_TRUE(eventually([&] { return test.server.statistics().body_bytes >= 70'000; }));

    second.send(head + std::string(80'000, 'x'));
    const auto refused = second.response();
    EXPECT_EQ(status_of(refused), 503);
    EXPECT_THAT(refused, HasSubstr("\r\nRetry-After: 1\r\n"));

    auto small = test.connect();
    small.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 10000\r\n\r\n" + std::string(10'000, 'x'));
    EXPECT_EQ(status_of(small.response()), 200) << "small ones do not count";
    first.send(std::string(10'000, 'x'));
    EXPECT_EQ(status_of(first.response()), 200);
    EXPECT_TRUE(eventually([&] { return test.server.statistics().body_bytes == 0; }));
}

TEST(ServerLimits, ASlowHeaderIs408) {
    auto options = patient();
    options.header_timeout = 300ms;  // its beginning must come within it on any machine
    TestServer test(options);
    auto connection = test.connect();

    connection.send("GET /hello HTTP/1.1\r\nHost:");

    EXPECT_EQ(status_of(connection.response()), 408);
    EXPECT_EQ(connection.rest(), "");
    EXPECT_EQ(test.server.statistics().timeouts, 1);
}

TEST(ServerLimits, ANewConnectionWithoutARequestIsClosed) {
    auto options = patient();
    options.header_timeout = 40ms;
    TestServer test(options);

    EXPECT_EQ(test.connect().rest(), "");
}

TEST(ServerLimits, ALaterSlowHeaderIs408AsWell) {
    auto options = patient();
    options.header_timeout = 300ms;
    TestServer test(options);
    auto connection = test.connect();
    connection.send(get("/hello") + "GET /");

    EXPECT_EQ(status_of(connection.response()), 200);
    EXPECT_EQ(status_of(connection.response()), 408);
}

TEST(ServerLimits, ASlowBodyIs408) {
    auto options = patient();
    options.body_timeout = 40ms;
    TestServer test(options);
    auto connection = test.connect();

    connection.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc");

    EXPECT_EQ(status_of(connection.response()), 408);
    EXPECT_EQ(connection.rest(), "");
}

TEST(ServerLimits, AnIdleConnectionIsClosed) {
    auto options = patient();
    options.idle_timeout = 40ms;
    TestServer test(options);
    auto connection = test.connect();
    connection.send(get("/hello"));
    connection.response();

    EXPECT_EQ(connection.rest(), "");
    EXPECT_EQ(test.server.statistics().timeouts, 0);
}

TEST(ServerLimits, AWaitingHandlerIsNoIdleConnection) {
    auto options = patient();
    options.idle_timeout = options.header_timeout = 300ms;
    TestServer test(options);
    auto connection = test.connect();
    auto other = test.connect();
    connection.send(get("/gate"));
    ASSERT_TRUE(test.gate.is_reached());

    EXPECT_EQ(other.rest(), "") << "the time limit of the other one has passed";

    ASSERT_TRUE(test.gate.release_one());
    EXPECT_EQ(body_of(connection.response()), "released");
}

TEST(ServerLimits, AClientThatDoesNotReadIsCut) {
    auto options = patient();
    options.write_timeout = 40ms;
    TestServer test(options);
    RawConnection connection(Endpoint::Kind::tcp);
    connection.keep_small_receive_buffer();
    connection.connect(test.endpoint());

    for (int count = 0; count < 20; ++count) connection.send(get("/large"));

    EXPECT_TRUE(eventually([&] { return test.server.statistics().timeouts == 1; }));
    EXPECT_TRUE(eventually([&] { return test.server.statistics().connections_open == 0; }));
}

TEST(ServerLimits, RunningOutOfDescriptorsIsWaitedOut) {
    auto options = patient();
    options.accept_retry = 20ms;
    TestServer test(options);
    RawConnection connection(Endpoint::Kind::tcp);
    {
        const NoMoreDescriptors none;
        connection.connect(test.endpoint());
        connection.send(get("/hello"));
        ASSERT_TRUE(eventually([&] { return test.server.statistics().accept_errors >= 2; }));
    }

    EXPECT_EQ(status_of(connection.response()), 200);
    EXPECT_LT(test.server.statistics().accept_errors, 100) << "it spins";
}

}  // namespace
}  // namespace taskd::http::test
