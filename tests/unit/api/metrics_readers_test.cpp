#include "api/metrics_readers.hpp"

#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>

namespace taskd::api {
namespace {

http::Request from(std::string address, const std::vector<std::pair<std::string, std::string>>& headers = {}) {
    http::Request request;
    request.peer.address = std::move(address);
    for (const auto& [name, value] : headers) request.headers.add(name, value);
    return request;
}

http::Request by_trusted_proxy(std::string client) {
    auto request = from("192.0.2.1:5", {{"X-Forwarded-For", client}});
    request.forwarded = http::Forwarded{std::move(client), "https", "ceph.example"};
    return request;
}

TEST(MetricsReaders, AreThoseOfThisHost) {
    const MetricsReaders readers;
    EXPECT_TRUE(readers.include(from("127.0.0.1:1234")));
    EXPECT_TRUE(readers.include(from("127.3.2.1:1234")));
    EXPECT_TRUE(readers.include(from("[::1]:1234")));
    EXPECT_TRUE(readers.include(from("[::ffff:127.0.0.1]:1234")));
    EXPECT_FALSE(readers.include(from("192.0.2.7:1234")));
    EXPECT_FALSE(readers.include(from("[2001:db8::1]:1234")));
    EXPECT_FALSE(readers.include(from("")));
}

TEST(MetricsReaders, AreThoseAtTheUnixSocket) {
    auto request = from("unix:/run/x");
    request.peer.kind = http::Peer::Kind::unix_socket;
    EXPECT_TRUE(MetricsReaders().include(request));
}

TEST(MetricsReaders, AreThoseOfTheNetworksThatAreNamed) {
    const MetricsReaders readers({http::Network::parse("192.0.2.0/24"), http::Network::parse("2001:db8::/32")});
    EXPECT_TRUE(readers.include(from("192.0.2.7:1234")));
    EXPECT_TRUE(readers.include(from("[2001:db8::7]:1234")));
    EXPECT_TRUE(readers.include(from("127.0.0.1:1234")));
    EXPECT_FALSE(readers.include(from("192.0.3.7:1234")));
}

TEST(MetricsReaders, AreNotThoseBehindAProxyThatNobodyTrusts) {
    for (const auto* mark : {"X-Forwarded-For", "Forwarded", "X-Real-IP", "Via", "x-forwarded-proto"}) {
        EXPECT_FALSE(MetricsReaders().include(from("127.0.0.1:1234", {{mark, "127.0.0.1"}}))) << mark;
        auto at_socket = from("unix:/run/x", {{mark, "127.0.0.1"}});
        at_socket.peer.kind = http::Peer::Kind::unix_socket;
        EXPECT_FALSE(MetricsReaders().include(at_socket)) << mark;
    }
}

TEST(MetricsReaders, AreJudgedByTheClientThatATrustedProxyNames) {
    const MetricsReaders readers({http::Network::parse("192.0.2.0/24")});
    EXPECT_TRUE(readers.include(by_trusted_proxy("192.0.2.200")));
    EXPECT_FALSE(readers.include(by_trusted_proxy("198.51.100.1"))) << "the proxy's own address is no matter";
    EXPECT_FALSE(readers.include(by_trusted_proxy("")));
}

TEST(MetricsReaders, AreThoseWhoShareTheirHostWithATrustedProxy) {
    auto direct = from("127.0.0.1:1234");
    direct.forwarded = http::Forwarded{};  // the host is a trusted proxy's, but nothing was passed on
    EXPECT_TRUE(MetricsReaders().include(direct));
}

}  // namespace
}  // namespace taskd::api
