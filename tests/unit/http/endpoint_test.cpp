#include "http/endpoint.hpp"

#include <gtest/gtest.h>
#include <taskd/error.hpp>

namespace taskd::http {
namespace {

TEST(Endpoint, ReadsTcpAddresses) {
    EXPECT_EQ(Endpoint::parse("127.0.0.1:8080"), Endpoint::tcp("127.0.0.1", 8080));
    EXPECT_EQ(Endpoint::parse("http://127.0.0.1:8080"), Endpoint::tcp("127.0.0.1", 8080));
    EXPECT_EQ(Endpoint::parse("http://localhost/"), Endpoint::tcp("localhost", 80));
    EXPECT_EQ(Endpoint::parse("[::1]:0"), Endpoint::tcp("::1", 0));
    EXPECT_EQ(Endpoint::parse("http://[::1]"), Endpoint::tcp("::1", 80));
}

TEST(Endpoint, ReadsWhetherThereIsTls) {
    const auto endpoint = Endpoint::parse("https://[::1]");
    EXPECT_TRUE(endpoint.tls);
    EXPECT_EQ(endpoint.url(), "https://[::1]:443");
    EXPECT_EQ(Endpoint::parse("https://host:8443/").url(), "https://host:8443");
    EXPECT_FALSE(Endpoint::parse("http://host").tls);
    EXPECT_EQ(Endpoint::parse("host:80").url(), "http://host:80");
    EXPECT_EQ(Endpoint::parse("unix:/x").url(), "unix:/x");
}

TEST(Endpoint, ReadsUnixPaths) {
    EXPECT_EQ(Endpoint::parse("unix:/run/x.sock"), Endpoint::unix_socket("/run/x.sock"));
}

TEST(Endpoint, WritesWhatItReads) {
    for (const char* text : {"127.0.0.1:8080", "[fe80::1]:80", "unix:/run/x.sock", "name:65535"})
        EXPECT_EQ(Endpoint::parse(text).text(), text);
}

TEST(Endpoint, RefusesWhatItCannotRead) {
    for (const char* text :
         {"", "127.0.0.1", "127.0.0.1:", ":80", "host:65536", "host:-1", "host:8 0", "[::1]", "[::1", "[::1]80", "::1",
          "unix:", "https://host:", "https://", "http://", "http://host:80/path", "/run/x"})
        EXPECT_THROW(Endpoint::parse(text), BadRequest) << text;
    EXPECT_THROW(Endpoint::parse("unix:/" + std::string(200, 'x')), BadRequest);
}

}  // namespace
}  // namespace taskd::http
