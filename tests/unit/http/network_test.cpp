#include "http/network.hpp"

#include <gtest/gtest.h>
#include <taskd/error.hpp>

namespace taskd::http {
namespace {

bool contains(const char* network, const char* address) {
    return Network::parse(network).contains(read_ip_address(address).value());
}

TEST(Network, ContainsWhatItsPrefixSays) {
    EXPECT_TRUE(contains("10.0.0.0/8", "10.255.0.1"));
    EXPECT_FALSE(contains("10.0.0.0/8", "11.0.0.1"));
    EXPECT_TRUE(contains("192.0.2.128/25", "192.0.2.200"));
    EXPECT_FALSE(contains("192.0.2.128/25", "192.0.2.127"));
    EXPECT_TRUE(contains("2001:db8::/33", "2001:db8:7fff::1"));
    EXPECT_FALSE(contains("2001:db8::/33", "2001:db8:8000::1"));
    EXPECT_TRUE(contains("127.0.0.1", "127.0.0.1"));
    EXPECT_FALSE(contains("127.0.0.1", "127.0.0.2"));
    EXPECT_TRUE(contains("0.0.0.0/0", "203.0.113.1"));
    EXPECT_FALSE(contains("0.0.0.0/0", "2001:db8::1")) << "all of IPv4 is not all of IPv6";
}

TEST(Network, RefusesWhatIsNone) {
    for (const char* text : {"", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8x", "10.0.0.1/8", "10.0.0",
                             "name", "2001:db8::/129", "[::1]", "127.0.0.1:80", "/8"})
        EXPECT_THROW(Network::parse(text), BadRequest) << text;
}

TEST(IpAddress, MayHaveAPort) {
    EXPECT_EQ(read_ip_address("192.0.2.1:80"), read_ip_address("192.0.2.1"));
    EXPECT_EQ(read_ip_address("[2001:db8::1]:80"), read_ip_address("2001:db8::1"));
    EXPECT_EQ(read_ip_address("::ffff:192.0.2.1"), read_ip_address("192.0.2.1"));
    for (const char* text : {"", "unknown", "192.0.2", "192.0.2.1.1", "_hidden", "unix:/x"})
        EXPECT_FALSE(read_ip_address(text)) << text;
}

}  // namespace
}  // namespace taskd::http
