#include "http/response_writer.hpp"

#include "http/body_stream.hpp"

#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace taskd::http {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::string written(Response response, const ResponseFor& request = {}) {
    ResponseWriter writer("Test-Server");
    WireResponse wire;
    writer.write(std::move(response), request, wire);
    return wire.head + std::string(wire.body);
}

Response with_body(Body body) {
    Response response;
    response.body = std::move(body);
    return response;
}

TEST(HttpDate, IsTheFixedForm) {
    EXPECT_EQ(http_date(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
    EXPECT_EQ(http_date(0), "Thu, 01 Jan 1970 00:00:00 GMT");
}

TEST(ResponseWriter, WritesTheDashboardsHeaders) {
    const auto text = written(with_body("{}"));

    EXPECT_THAT(text, StartsWith("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"));
    for (const char* line : {"\r\nServer: Test-Server\r\n", "\r\nContent-Security-Policy: frame-ancestors 'self';\r\n",
                             "\r\nX-Content-Type-Options: nosniff\r\n",
                             "\r\nStrict-Transport-Security: max-age=63072000; includeSubDomains; preload\r\n",
                             "\r\nVary: Accept-Encoding\r\n", "\r\nDate: ", "\r\nContent-Length: 2\r\n"})
        EXPECT_THAT(text, HasSubstr(line));
    EXPECT_THAT(text, Not(HasSubstr("Connection:")));
    EXPECT_THAT(text, EndsWith("\r\n\r\n{}"));
}

TEST(ResponseWriter, LetsAResponseReplaceAHeader) {
    auto response = with_body("{}");
    response.headers = {{"content-security-policy", "default-src 'self'"}, {"X-Total-Count", "3"}};

    const auto text = written(std::move(response));

    EXPECT_THAT(text, HasSubstr("\r\ncontent-security-policy: default-src 'self'\r\n"));
    EXPECT_THAT(text, Not(HasSubstr("frame-ancestors")));
    EXPECT_THAT(text, HasSubstr("\r\nX-Total-Count: 3\r\n"));
    EXPECT_THAT(text, HasSubstr("\r\nServer: Test-Server\r\n"));
    EXPECT_THAT(text, HasSubstr("\r\nDate: "));
}

class NoPieces final : public BodyStream {
  public:
    bool next(std::string&) override { return false; }
    bool on_more(std::function<void()>) override { return false; }
    std::chrono::milliseconds patience() const override { return {}; }
};

TEST(ResponseWriter, LeavesTheLengthOfAStreamOpen) {
    ResponseWriter writer("Test-Server");
    WireResponse wire;
    const auto write = [&](const ResponseFor& request) {
        auto response = with_body("ignored");
        response.stream = std::make_shared<NoPieces>();
        writer.write(std::move(response), request, wire);
        return wire.head;
    };

    const auto text = write({.accepts_gzip = true});
    EXPECT_THAT(text, EndsWith("\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"));
    EXPECT_THAT(text, Not(HasSubstr("Content-Length")));
    EXPECT_THAT(text, Not(HasSubstr("Content-Encoding")));
    EXPECT_NE(wire.stream, nullptr);

    EXPECT_THAT(write({.is_http_1_0 = true}), Not(HasSubstr("Transfer-Encoding")));
    EXPECT_NE(wire.stream, nullptr);

    EXPECT_THAT(write({.is_head = true}), HasSubstr("Transfer-Encoding: chunked"));
    EXPECT_EQ(wire.stream, nullptr) << "nothing follows";

    writer.write(with_body("{}"), {}, wire);
    EXPECT_EQ(wire.stream, nullptr);
}

TEST(ResponseWriter, WritesPiecesAsChunks) {
    WireResponse wire;
    write_piece("0123456789abcdef", false, wire);
    EXPECT_EQ(wire.head, "10\r\n0123456789abcdef\r\n");
    write_last_piece(false, wire);
    EXPECT_EQ(wire.head, "0\r\n\r\n");
    write_piece("0123", true, wire);
    EXPECT_EQ(wire.head, "0123");
    write_last_piece(true, wire);
    EXPECT_EQ(wire.head, "");
}

TEST(ResponseWriter, KeepsRepeatedHeaders) {
    auto response = with_body("{}");
    response.headers = {{"Set-Cookie", "a=1"}, {"Set-Cookie", "b=2"}};

    EXPECT_THAT(written(std::move(response)), HasSubstr("Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n"));
}

TEST(ResponseWriter, FramesByItself) {
    auto response = with_body("{}");
    response.headers = {{"Content-Length", "99"}, {"Transfer-Encoding", "chunked"}, {"Connection", "close"}};

    const auto text = written(std::move(response));

    EXPECT_THAT(text, HasSubstr("Content-Length: 2\r\n"));
    EXPECT_THAT(text, Not(HasSubstr("99")));
    EXPECT_THAT(text, Not(HasSubstr("chunked")));
    EXPECT_THAT(text, Not(HasSubstr("close")));
}

TEST(ResponseWriter, SendsNoBodyWith204) {
    auto response = with_body("ignored");
    response.status = 204;

    const auto text = written(std::move(response), {.accepts_gzip = true});

    EXPECT_THAT(text, StartsWith("HTTP/1.1 204 No Content\r\n"));
    EXPECT_THAT(text, Not(HasSubstr("Content-Length")));
    EXPECT_THAT(text, Not(HasSubstr("Content-Type:")));
    EXPECT_THAT(text, EndsWith("\r\n\r\n"));
}

TEST(ResponseWriter, SendsNoBodyToHeadButItsLength) {
    const auto text = written(with_body("12345"), {.is_head = true});

    EXPECT_THAT(text, HasSubstr("Content-Length: 5\r\n"));
    EXPECT_THAT(text, EndsWith("\r\n\r\n"));
}

TEST(ResponseWriter, SaysWhetherTheConnectionStays) {
    EXPECT_THAT(written(with_body("{}"), {.close = true}), HasSubstr("\r\nConnection: close\r\n"));
    EXPECT_THAT(written(with_body("{}"), {.is_http_1_0 = true}), HasSubstr("\r\nConnection: keep-alive\r\n"));
}

TEST(ResponseWriter, CompressesWhenAsked) {
    const auto text = written(with_body("null"), {.accepts_gzip = true});

    EXPECT_THAT(text, HasSubstr("\r\nContent-Encoding: gzip\r\n"));
    EXPECT_THAT(text, HasSubstr("\r\n\r\n\x1f\x8b"));
    EXPECT_THAT(written(with_body("null")), Not(HasSubstr("Content-Encoding")));
    EXPECT_THAT(written(with_body(""), {.accepts_gzip = true}), Not(HasSubstr("Content-Encoding")));
}

TEST(ResponseWriter, DoesNotCompressErrors) {
    auto response = with_body(R"({"detail":"no"})");
    response.status = 400;

    const auto text = written(std::move(response), {.accepts_gzip = true});

    EXPECT_THAT(text, Not(HasSubstr("Content-Encoding")));
    EXPECT_THAT(text, EndsWith(R"({"detail":"no"})"));
}

TEST(ResponseWriter, DoesNotCompressTwice) {
    auto response = with_body("already");
    response.headers = {{"content-encoding", "br"}};

    EXPECT_THAT(written(std::move(response), {.accepts_gzip = true}), EndsWith("\r\n\r\nalready"));
}

TEST(ResponseWriter, KeepsALargeBodyApart) {
    ResponseWriter writer("Test-Server");
    WireResponse wire;
    const auto text = std::make_shared<const std::string>(100'000, 'x');

    writer.write(with_body(text), {}, wire);

    EXPECT_EQ(wire.body.data(), text->data()) << "shared text was copied";
    EXPECT_EQ(wire.body.size(), text->size());
    EXPECT_THAT(wire.head, EndsWith("\r\n\r\n"));
}

TEST(ResponseWriter, RefusesAHeaderThatWouldSplitTheResponse) {
    auto response = with_body("{}");
    response.headers = {{"Location", "/x\r\nSet-Cookie: evil"}};

    EXPECT_THROW(written(std::move(response)), std::invalid_argument);
}

}  // namespace
}  // namespace taskd::http
