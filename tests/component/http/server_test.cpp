#include "http/server.hpp"

#include "http/client.hpp"
#include "test_server.hpp"

#include <list>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace taskd::http::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::StartsWith;

TEST(Server, AnswersManyRequestsOnOneConnection) {
    TestServer test;
    auto connection = test.connect();

    for (int count = 0; count < 3; ++count) {
        connection.send(get("/hello"));
        EXPECT_EQ(body_of(connection.response()), "hello");
    }

    const auto statistics = test.server.statistics();
    EXPECT_EQ(statistics.connections_accepted, 1);
    EXPECT_EQ(statistics.connections_open, 1);
    EXPECT_EQ(statistics.requests, 3);
    EXPECT_EQ(statistics.responses[2], 3);
}

TEST(Server, AnswersPipelinedRequestsInOrder) {
    TestServer test;
    auto connection = test.connect();

    connection.send(get("/gate") + get("/show/a") + get("/missing") + get("/show/b"));

    ASSERT_TRUE(test.gate.release_one());
    EXPECT_EQ(body_of(connection.response()), "released");
    EXPECT_EQ(body_of(connection.response()), "/show/a|a");
    EXPECT_EQ(status_of(connection.response()), 404);
    EXPECT_EQ(body_of(connection.response()), "/show/b|b");
}

TEST(Server, GivesTheHandlerPathParametersAndQuery) {
    TestServer test;
    auto connection = test.connect();

    connection.send(get("//show/rbd%252Fvm%201/?a=x+y&b&a=%2B"));

    EXPECT_EQ(body_of(connection.response()), "/show/rbd%252Fvm%201|rbd/vm 1|a=x y|b=|a=+");
}

TEST(Server, AnswersAfterTheClientHasEndedItsSide) {
    TestServer test;
    auto connection = test.connect();

    connection.send(get("/gate") + get("/hello"));
    connection.end_of_requests();

    ASSERT_TRUE(test.gate.release_one());
    EXPECT_EQ(body_of(connection.response()), "released");
    EXPECT_EQ(body_of(connection.response()), "hello");
    EXPECT_EQ(connection.rest(), "");
}

TEST(Server, SurvivesAClientThatLeavesBeforeItsAnswer) {
    TestServer test;
    {
        auto connection = test.connect();
        connection.send(get("/gate"));
        ASSERT_TRUE(test.gate.is_reached());
    }

    ASSERT_TRUE(test.gate.release_one());
    EXPECT_TRUE(eventually([&] { return test.server.statistics().connections_open == 0; }));
    auto connection = test.connect();
    connection.send(get("/hello"));
    EXPECT_EQ(status_of(connection.response()), 200);
}

TEST(Server, UnknownPathsAndMethodsAreNotFound) {
    TestServer test;
    auto connection = test.connect();
    connection.send(get("/nope"));
    const auto response = connection.response();
    connection.send("DELETE /hello HTTP/1.1\r\nHost: h\r\n\r\n");
    const auto other = connection.response();

    EXPECT_EQ(status_of(response), 404);
    const auto body = nlohmann::json::parse(body_of(response));
    EXPECT_EQ(body["status"], "404 Not Found");
    EXPECT_EQ(body["detail"], "The path '/nope' was not found.");
    EXPECT_EQ(body["request_id"].get<std::string>().size(), 36);
    EXPECT_EQ(status_of(other), 404);
}

TEST(Server, AnswersHeadWithoutABody) {
    TestServer test;
    auto connection = test.connect();

    connection.send("HEAD /nope HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_EQ(status_of(connection.response(true)), 404);

    connection.send(get("/hello"));
    EXPECT_EQ(status_of(connection.response()), 200);
}

TEST(Server, ExceptionsOfHandlersAreAnsweredAndTheConnectionLives) {
    TestServer test;
    auto connection = test.connect();

    for (const char* target : {"/throw", "/throw-int", "/throw-later", "/bad-header"}) {
        connection.send(get(target));
        const auto response = connection.response();
        EXPECT_EQ(status_of(response), 500) << target;
        EXPECT_EQ(nlohmann::json::parse(body_of(response))["detail"],
                  "The server encountered an unexpected condition which prevented it from fulfilling the request.");
    }

    connection.send(get("/hello"));
    EXPECT_EQ(status_of(connection.response()), 200);
    EXPECT_EQ(test.server.statistics().handler_failures, 4);
    EXPECT_EQ(test.server.statistics().session_failures, 0);
}

TEST(Server, MalformedPathsAndQueriesAreBadRequests) {
    TestServer test;
    auto connection = test.connect();

    for (const char* target : {"/show/%FF", "/show/100%", "/show/a%00b", "/show/a?b=%FF"}) {
        connection.send(get(target));
        const auto response = connection.response();
        EXPECT_EQ(status_of(response), 400) << target;
        EXPECT_THAT(nlohmann::json::parse(body_of(response))["detail"].get<std::string>(), HasSubstr(target));
    }
}

TEST(Server, MalformedRequestsAreAnsweredAndTheConnectionEnds) {
    TestServer test;
    auto connection = test.connect();

    connection.send("nonsense\r\n\r\n" + get("/hello"));

    const auto response = connection.response();
    EXPECT_EQ(status_of(response), 400);
    EXPECT_THAT(response, HasSubstr("Connection: close\r\n"));
    EXPECT_TRUE(nlohmann::json::accept(body_of(response)));
    EXPECT_EQ(connection.rest(), "");
}

TEST(Server, WantsToKnowTheLengthOfABody) {
    TestServer test;
    auto connection = test.connect();

    connection.send("PATCH /nope HTTP/1.1\r\nHost: h\r\n\r\n");

    const auto response = connection.response();
    EXPECT_EQ(status_of(response), 411);
    EXPECT_EQ(nlohmann::json::parse(body_of(response))["detail"], "Client must specify Content-Length");
}

TEST(Server, TakesChunkedBodies) {
    TestServer test;
    auto connection = test.connect();

    connection.send("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");

    EXPECT_EQ(body_of(connection.response()), "abc");
}

TEST(Server, LetsAClientThatAsksSendItsBody) {
    TestServer test;
    auto connection = test.connect();

    connection.send("POST /echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    EXPECT_EQ(connection.response(), "HTTP/1.1 100 Continue\r\n\r\n");
    connection.send("abc");

    EXPECT_EQ(body_of(connection.response()), "abc");
}

TEST(Server, CompressesForClientsThatAsk) {
    TestServer test;
    auto connection = test.connect();

    connection.send(get("/large", "Accept-Encoding: gzip\r\n"));
    const auto response = connection.response();
    connection.send(get("/large", "Accept-Encoding: gzip;q=0\r\n"));
    const auto plain = connection.response();

    EXPECT_THAT(response, HasSubstr("\r\nContent-Encoding: gzip\r\n"));
    EXPECT_THAT(std::string(body_of(response)), StartsWith("\x1f\x8b"));
    EXPECT_LT(response.size(), 100'000);
    EXPECT_EQ(body_of(plain).size(), 4 * 1024 * 1024);
}

TEST(Server, SendsLargeBodiesToSlowReaders) {
    TestServer test;
    RawConnection connection(Endpoint::Kind::tcp);
    connection.keep_small_receive_buffer();
    connection.connect(test.endpoint());

    connection.send(get("/large") + get("/hello"));

    EXPECT_EQ(body_of(connection.response()), std::string(4 * 1024 * 1024, 'l'));
    EXPECT_EQ(body_of(connection.response()), "hello");
}

TEST(Server, ClosesWhenTheClientWishesIt) {
    TestServer test;
    auto connection = test.connect();
    connection.send(get("/hello", "Connection: close\r\n"));

    EXPECT_THAT(connection.rest(), HasSubstr("\r\nConnection: close\r\n"));

    auto old = test.connect();
    old.send("GET /hello HTTP/1.0\r\n\r\n");
    EXPECT_EQ(body_of(old.rest()), "hello");
}

TEST(Server, KeepsAnOldClientsConnectionIfItAsks) {
    TestServer test;
    auto connection = test.connect();

    for (int count = 0; count < 2; ++count) {
        connection.send("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        EXPECT_THAT(connection.response(), HasSubstr("\r\nConnection: keep-alive\r\n"));
    }
}

TEST(Server, ServesTwoHundredConnectionsAtOnce) {
    TestServer test({.threads = 2});
    std::list<RawConnection> connections;
    for (int count = 0; count < 200; ++count) {
        connections.push_back(test.connect());
        connections.back().send(get("/gate"));
    }

    for (int count = 0; count < 200; ++count) ASSERT_TRUE(test.gate.release_one());

    for (auto& connection : connections) EXPECT_EQ(body_of(connection.response()), "released");
    EXPECT_EQ(test.server.statistics().connections_open, 200);
    connections.clear();
    EXPECT_TRUE(eventually([&] { return test.server.statistics().connections_open == 0; }));
}

TEST(Server, SharesAProcessWithAnother) {
    TestServer one;
    TestServer other;

    EXPECT_NE(one.endpoint().port, other.endpoint().port);
    for (const auto* test : {&one, &other}) {
        auto connection = test->connect();
        connection.send(get("/hello"));
        EXPECT_EQ(status_of(connection.response()), 200);
    }
    one.server.stop(0ms);
    auto connection = other.connect();
    connection.send(get("/hello"));
    EXPECT_EQ(status_of(connection.response()), 200);
}

TEST(Server, TellsHandlersWhoAsks) {
    TestServer test;
    auto connection = test.connect();

    connection.send(get("/peer"));

    EXPECT_THAT(std::string(body_of(connection.response())), testing::MatchesRegex("127\\.0\\.0\\.1:[0-9]+\\|nobody"));
}

TEST(Server, CountsAnswersByTheRouteAsItWasAdded) {
    TestServer test({.threads = 2});
    for (const auto* path : {"/show/a", "/show/b", "/throw-later", "/missing", "/%zz"}) {
        auto connection = test.connect();  // each on another thread than the last
        connection.send(get(path));
        connection.response();
    }
    auto cut_short = test.connect();
    cut_short.send("GET / HTTP/9.9\r\n\r\n");
    EXPECT_GE(status_of(cut_short.response()), 400);

    const auto routes = test.server.route_statistics();

    const auto of = [&](const std::string& pattern) {
        return *std::find_if(routes.begin(), routes.end(),
                             [&](const auto& one) { return one.name.pattern == pattern; });
    };
    EXPECT_EQ(of("/show/{name}").responses[2], 2);
    EXPECT_EQ(of("/show/{name}").duration.count(), 2);
    EXPECT_EQ(of("/throw-later").responses[5], 1);
    EXPECT_EQ(of("/hello").responses[2], 0);
    EXPECT_EQ(of("other").responses[4] + of("other").responses[5], 3);
    EXPECT_EQ(of("other").duration.count(), 2) << "what was refused before its end took no time of ours";
}

}  // namespace
}  // namespace taskd::http::test
