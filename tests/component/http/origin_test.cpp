#include "test_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace taskd::http::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

constexpr const char* from_ui = "Origin: https://ui.example\r\n";
constexpr const char* allows_ui = "\r\nAccess-Control-Allow-Origin: https://ui.example\r\n";

ServerOptions with_ui() {
    ServerOptions options;
    options.cors = CorsPolicy({"https://ui.example"});
    return options;
}

std::string response_to(const TestServer& test, const std::string& request) {
    auto connection = test.connect();
    connection.send(request);
    return connection.response();
}

TEST(Cors, EveryAnswerMayBeReadByPagesOfTheListedSites) {
    auto options = with_ui();
    options.body_timeout = 40ms;
    TestServer test(options);

    for (const char* path : {"/hello", "/nothing-here", "/throw", "/throw-later", "/x?%ff"})
        EXPECT_THAT(response_to(test, get(path, from_ui)), HasSubstr(allows_ui)) << path;
    const std::string post = "POST /echo HTTP/1.1\r\nHost: h\r\n" + std::string(from_ui);
    const auto too_large = response_to(test, post + "Content-Length: 2000000\r\n\r\n");
    EXPECT_EQ(status_of(too_large), 413);
    EXPECT_THAT(too_large, HasSubstr(allows_ui));
    const auto too_slow = response_to(test, post + "Content-Length: 20\r\n\r\n");
    EXPECT_EQ(status_of(too_slow), 408);
    EXPECT_THAT(too_slow, HasSubstr(allows_ui));
}

TEST(Cors, NobodyElseIsTold) {
    TestServer test(with_ui());

    EXPECT_THAT(response_to(test, get("/hello", "Origin: https://evil.example\r\n")), Not(HasSubstr("Access-Control")));
    EXPECT_THAT(response_to(test, get("/hello")), Not(HasSubstr("Access-Control")));
    EXPECT_THAT(response_to(test, get("/hello")), HasSubstr("\r\nVary: Accept-Encoding, Origin\r\n"));
    EXPECT_THAT(response_to(TestServer(), get("/hello", from_ui)), Not(HasSubstr("Access-Control")));
}

TEST(Cors, AnOriginIsForgottenWithItsRequest) {
    TestServer test(with_ui());
    auto connection = test.connect();

    connection.send(get("/hello", from_ui) + get("/hello"));

    EXPECT_THAT(connection.response(), HasSubstr(allows_ui));
    EXPECT_THAT(connection.response(), Not(HasSubstr("Access-Control")));
}

TEST(Cors, APreflightIsAnsweredWithoutAskingTheRoute) {
    TestServer test(with_ui());
    const auto preflight = [](const std::string& origin) {
        return "OPTIONS /throw HTTP/1.1\r\nHost: h\r\n" + origin + "Access-Control-Request-Method: DELETE\r\n\r\n";
    };

    const auto response = response_to(test, preflight(from_ui));
    EXPECT_EQ(status_of(response), 204);
    EXPECT_THAT(response, HasSubstr(allows_ui));
    EXPECT_THAT(response, HasSubstr("\r\nAccess-Control-Allow-Headers: Accept, Authorization"));
    EXPECT_EQ(status_of(response_to(test, preflight("Origin: https://evil.example\r\n"))), 404);
}

TEST(ForwardedRequest, IsBelievedFromATrustedProxyOnly) {
    constexpr const char* says = "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: ui\r\n";
    ServerOptions options;
    options.proxies = TrustedProxies({Network::parse("127.0.0.0/8")});

    EXPECT_THAT(response_to(TestServer(options), get("/client", says)),
                testing::AllOf(HasSubstr("\r\n\r\n192.0.2.7 via 127.0.0.1:"), HasSubstr("|secure|ui")));
    EXPECT_THAT(response_to(TestServer(), get("/client", says)),
                testing::AllOf(HasSubstr("\r\n\r\n127.0.0.1:"), HasSubstr("|plain|h")));
}

TEST(ForwardedRequest, ATrustedProxyMayHaveManyConnections) {
    ServerOptions options;
    options.connections_per_address = 1;
    options.proxies = TrustedProxies({Network::parse("127.0.0.1")});
    TestServer test(options);
    auto one = test.connect();
    auto other = test.connect();

    for (auto* connection : {&one, &other}) {
        connection->send(get("/hello"));
        EXPECT_EQ(status_of(connection->response()), 200);
    }
}

}  // namespace
}  // namespace taskd::http::test
