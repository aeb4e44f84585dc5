#include "http/content_coding.hpp"

#include <stdexcept>

#include <gtest/gtest.h>
#include <zlib.h>

namespace taskd::http {
namespace {

std::string gunzip(std::string_view encoded) {
    z_stream stream{};
    if (inflateInit2(&stream, MAX_WBITS + 16) != Z_OK) throw std::runtime_error("inflateInit2");
    std::string text(1024 * 1024, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(encoded.data()));
    stream.avail_in = static_cast<uInt>(encoded.size());
    stream.next_out = reinterpret_cast<Bytef*>(text.data());
    stream.avail_out = static_cast<uInt>(text.size());
    const int result = inflate(&stream, Z_FINISH);
    inflateEnd(&stream);
    if (result != Z_STREAM_END) throw std::runtime_error("not a whole gzip stream");
    text.resize(text.size() - stream.avail_out);
    return text;
}

TEST(AcceptEncoding, GzipIsTakenWhenNamed) {
    EXPECT_TRUE(accepts_gzip("gzip"));
    EXPECT_TRUE(accepts_gzip("deflate, gzip;q=0.5 , br"));
    EXPECT_TRUE(accepts_gzip("X-GZip"));
    EXPECT_TRUE(accepts_gzip("gzip;q=0.001"));
    EXPECT_FALSE(accepts_gzip(""));
    EXPECT_FALSE(accepts_gzip("identity"));
    EXPECT_FALSE(accepts_gzip("deflate, br"));
    EXPECT_FALSE(accepts_gzip("gzippy"));
}

TEST(AcceptEncoding, ZeroQualityRefusesGzip) {
    EXPECT_FALSE(accepts_gzip("gzip;q=0"));
    EXPECT_FALSE(accepts_gzip("gzip ; Q=0.000, br"));
    EXPECT_FALSE(accepts_gzip("*, gzip;q=0"));
}

TEST(AcceptEncoding, StarCoversGzipUnlessItIsNamed) {
    EXPECT_TRUE(accepts_gzip("*"));
    EXPECT_TRUE(accepts_gzip("br, *;q=0.1"));
    EXPECT_FALSE(accepts_gzip("*;q=0"));
    EXPECT_TRUE(accepts_gzip("*;q=0, gzip"));
}

TEST(ContentType, TextsThatTheDaemonSendsAreCompressed) {
    EXPECT_TRUE(is_compressible("application/json"));
    EXPECT_TRUE(is_compressible("application/vnd.ceph.api.v1.0+json"));
    EXPECT_TRUE(is_compressible("text/html;charset=utf-8"));
    EXPECT_TRUE(is_compressible("text/plain"));
    EXPECT_FALSE(is_compressible("text/javascript"));
    EXPECT_TRUE(is_compressible("text/css"));
    EXPECT_FALSE(is_compressible("image/svg+xml"));
    EXPECT_FALSE(is_compressible(""));
}

TEST(GzipEncoder, GivesBackTheSameText) {
    GzipEncoder encoder;
    const std::string large(100'000, 'x');

    EXPECT_EQ(gunzip(*encoder.encode(Body("null"))), "null");
    EXPECT_EQ(gunzip(*encoder.encode(Body(large))), large);
    EXPECT_EQ(gunzip(*encoder.encode(Body("again"))), "again");
}

TEST(GzipEncoder, CompressesSharedTextOnce) {
    GzipEncoder encoder;
    const auto text = std::make_shared<const std::string>("shared");
    const auto other = std::make_shared<const std::string>("shared");

    const auto first = encoder.encode(Body(text));

    EXPECT_EQ(encoder.encode(Body(text)), first);
    EXPECT_NE(encoder.encode(Body(other)), first);
}

TEST(GzipEncoder, DoesNotTakeNewTextForOneThatIsGone) {
    GzipEncoder encoder;

    for (int round = 0; round < 100; ++round) {
        const auto text = std::make_shared<const std::string>("text " + std::to_string(round));
        EXPECT_EQ(gunzip(*encoder.encode(Body(text))), *text);
    }
}

}  // namespace
}  // namespace taskd::http
