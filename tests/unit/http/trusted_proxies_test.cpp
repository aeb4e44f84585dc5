#include "http/trusted_proxies.hpp"

#include <utility>

#include <gtest/gtest.h>

namespace taskd::http {
namespace {

const TrustedProxies proxies({Network::parse("10.0.0.0/8"), Network::parse("::1")});

Request request_with(std::initializer_list<std::pair<const char*, const char*>> headers) {
    Request request;
    request.peer.address = "10.0.0.1:1234";
    for (const auto& [name, value] : headers) request.headers.add(name, value);
    request.forwarded = proxies.read(request);
    return request;
}

Peer peer_at(const char* address) {
    Peer peer;
    peer.address = address;
    return peer;
}

TEST(TrustedProxies, AreThoseOfTheirNetworks) {
    EXPECT_TRUE(proxies.trusts(peer_at("10.2.3.4:80")));
    EXPECT_TRUE(proxies.trusts(peer_at("[::1]:80")));
    EXPECT_FALSE(proxies.trusts(peer_at("192.0.2.1:80")));
    auto at_unix_socket = peer_at("127.0.0.1:80");
    at_unix_socket.kind = Peer::Kind::unix_socket;
    EXPECT_FALSE(TrustedProxies({Network::parse("0.0.0.0/0")}).trusts(at_unix_socket));
    EXPECT_FALSE(TrustedProxies().trusts(peer_at("10.2.3.4:80")));
}

TEST(TrustedProxies, TellTheClient) {
    const auto request = request_with(
        {{"X-Forwarded-For", "192.0.2.7"}, {"X-Forwarded-Proto", "https"}, {"X-Forwarded-Host", "ceph.example:8443"}});

    EXPECT_EQ(request.client(), "192.0.2.7 via 10.0.0.1:1234");
    EXPECT_TRUE(request.is_secure());
    EXPECT_EQ(request.host(), "ceph.example:8443");
}

TEST(TrustedProxies, PassOnWhatAClientMadeUpButItIsNotBelieved) {
    EXPECT_EQ(request_with({{"X-Forwarded-For", "198.51.100.1, 192.0.2.7"}}).forwarded->client, "192.0.2.7");
    EXPECT_EQ(request_with({{"X-Forwarded-For", "198.51.100.1"}, {"x-forwarded-for", "192.0.2.7"}}).forwarded->client,
              "192.0.2.7")
        << "in a line of its own";
    EXPECT_EQ(request_with({{"X-Forwarded-For", "198.51.100.1, garbage, 10.0.0.9"}}).forwarded->client, "10.0.0.9");
}

TEST(TrustedProxies, InARowAreAllLookedThrough) {
    EXPECT_EQ(request_with({{"X-Forwarded-For", "198.51.100.1,192.0.2.7:99 , 10.0.0.9,::1"}}).forwarded->client,
              "192.0.2.7:99");
    EXPECT_EQ(request_with({{"X-Forwarded-For", "10.0.0.8, 10.0.0.9"}}).forwarded->client, "10.0.0.8");
}

TEST(TrustedProxies, ThatSayNothingChangeNothing) {
    auto request = request_with({{"Host", "here:80"}});

    EXPECT_EQ(request.client(), "10.0.0.1:1234");
    EXPECT_FALSE(request.is_secure());
    EXPECT_EQ(request.host(), "here:80");
    request.peer.secure = true;
    EXPECT_TRUE(request.is_secure());
    EXPECT_FALSE(request_with({{"X-Forwarded-Proto", "http"}}).is_secure());
}

}  // namespace
}  // namespace taskd::http
