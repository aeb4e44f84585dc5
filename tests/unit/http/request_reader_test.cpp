#include "http/request_reader.hpp"

#include <algorithm>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace taskd::http {
namespace {

using testing::HasSubstr;
using Step = RequestReader::Step;
using Phase = RequestReader::Phase;

/// A reader and the request that it fills; `give` hands it bytes as a socket would, in pieces of at most `piece` bytes.
class Reading {
  public:
    explicit Reading(ReadLimits limits = {}) : reader_(limits) {}

    Step give(std::string_view bytes, std::size_t piece = std::string_view::npos) {
        auto step = reader_.advance(request);
        while (!bytes.empty() && step == Step::read_more) {
            const auto space = reader_.free_space();
            const auto size = std::min({bytes.size(), space.size(), piece});
            std::copy_n(bytes.begin(), size, space.begin());
            reader_.commit(size);
            bytes.remove_prefix(size);
            step = reader_.advance(request);
        }
        unread = bytes;
        return step;
    }

    RequestReader& reader() { return reader_; }
    int refused_with(std::string_view bytes) { return give(bytes) == Step::refused ? reader_.refusal().status : 0; }

    Request request;
    std::string_view unread;

  private:
    RequestReader reader_;
};

TEST(RequestReader, ReadsARequestWhateverPiecesItComesIn) {
    const std::string_view text =
        "POST /api/x?y=1 HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: 4\r\n\r\nnull";
    for (const std::size_t piece : {1UL, 2UL, 3UL, 7UL, 50UL, 1000UL}) {
        Reading reading;

        ASSERT_EQ(reading.give(text, piece), Step::complete) << piece;

        EXPECT_EQ(reading.request.method, "POST");
        EXPECT_EQ(reading.request.target, "/api/x?y=1");
        EXPECT_EQ(reading.request.header("content-type"), "application/json");
        EXPECT_EQ(reading.request.headers.size(), 3);
        EXPECT_EQ(reading.request.body, "null");
        EXPECT_TRUE(reading.reader().keep_alive());
    }
}

TEST(RequestReader, ReadsPipelinedRequestsOneByOne) {
    Reading reading;

    ASSERT_EQ(reading.give("GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n"), Step::complete);
    EXPECT_EQ(reading.request.target, "/1");
    reading.reader().next();
    ASSERT_EQ(reading.give(""), Step::complete);
    EXPECT_EQ(reading.request.target, "/2");
    reading.reader().next();
    EXPECT_EQ(reading.give(""), Step::read_more);
    EXPECT_EQ(reading.reader().phase(), Phase::idle);
}

TEST(RequestReader, TellsThePhaseItIsIn) {
    Reading reading;
    EXPECT_EQ(reading.reader().phase(), Phase::idle);

    reading.give("P");
    EXPECT_EQ(reading.reader().phase(), Phase::header);

    reading.give("UT /x HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n");
    EXPECT_EQ(reading.reader().phase(), Phase::body);
}

TEST(RequestReader, SkipsLineBreaksBetweenRequests) {
    Reading reading;

    EXPECT_EQ(reading.give("\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n"), Step::complete);
}

TEST(RequestReader, ReadsChunkedBodiesAndDropsTrailers) {
    const std::string_view text =
        "POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
        "3\r\nabc\r\n4;ext=1\r\ndefg\r\n0\r\nX-Trailer: t\r\n\r\n";
    for (const std::size_t piece : {1UL, 5UL, 1000UL}) {
        Reading reading;

        ASSERT_EQ(reading.give(text, piece), Step::complete) << piece;

        EXPECT_EQ(reading.request.body, "abcdefg");
        EXPECT_EQ(reading.request.header("X-Trailer"), std::nullopt);
    }
}

TEST(RequestReader, RefusesAHeaderThatIsTooLargeHoweverItComes) {
    const std::string text = "GET / HTTP/1.1\r\nHost: h\r\nX-Large: " + std::string(3000, 'x') + "\r\n\r\n";
    std::string many = "GET / HTTP/1.1\r\nHost: h\r\n";
    for (int count = 0; count < 200; ++count) many += "X-" + std::to_string(count) + ": 0123456789\r\n";
    many += "\r\n";
    for (const std::size_t piece : {10UL, 100UL, 1'000'000UL}) {
        Reading one({.header_bytes = 2048});
        EXPECT_EQ(one.give(text, piece), Step::refused) << piece;
        EXPECT_EQ(one.reader().refusal().status, 431);

        Reading other({.header_bytes = 2048});
        EXPECT_EQ(other.give(many, piece), Step::refused) << piece;
        EXPECT_EQ(other.reader().refusal().status, 431);
    }
}

TEST(RequestReader, TakesAHeaderUpToTheLimit) {
    Reading reading({.header_bytes = 64 * 1024});

    EXPECT_EQ(reading.give("GET / HTTP/1.1\r\nHost: h\r\nX-Large: " + std::string(60'000, 'x') + "\r\n\r\n"),
              Step::complete);
}

TEST(RequestReader, RefusesABodyThatIsTooLargeBeforeItComes) {
    Reading reading({.body_bytes = 10});

    EXPECT_EQ(reading.refused_with("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\n"), 413);
}

TEST(RequestReader, RefusesChunksThatAddUpToTooMuch) {
    Reading reading({.body_bytes = 10});

    EXPECT_EQ(reading.refused_with("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                                   "6\r\nabcdef\r\n6\r\nabcdef\r\n0\r\n\r\n"),
              413);
}

TEST(RequestReader, TakesABodyUpToTheLimit) {
    Reading reading({.body_bytes = 100'000});
    const std::string body(100'000, 'b');

    ASSERT_EQ(reading.give("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n" + body), Step::complete);
    EXPECT_EQ(reading.request.body, body);
}

TEST(RequestReader, WantsALengthWhereABodyIsUsual) {
    for (const std::string method : {"POST", "PUT", "PATCH"}) {
        Reading reading;
        EXPECT_EQ(reading.refused_with(method + " / HTTP/1.1\r\nHost: h\r\n\r\n"), 411) << method;
        EXPECT_THAT(std::string(reading.reader().refusal().body.view()),
                    HasSubstr("Client must specify Content-Length"));
    }
    Reading reading;
    EXPECT_EQ(reading.give("DELETE / HTTP/1.1\r\nHost: h\r\n\r\n"), Step::complete);
}

TEST(RequestReader, RefusesWhatIsNoHttp) {
    EXPECT_EQ(Reading().refused_with("\x16\x03\x01\x02\x05\x01\r\n\r\n"), 400);
    EXPECT_EQ(Reading().refused_with("GET\r\n\r\n"), 400);
    EXPECT_EQ(Reading().refused_with("GET / HTTP/2.0\r\n\r\n"), 505);
    EXPECT_EQ(Reading().refused_with("GET / HTTP/1.1\r\nHost: h\r\nBad Field: x\r\n\r\n"), 400);
    EXPECT_EQ(Reading().refused_with("GET / HTTP/1.1\r\n\r\n"), 400) << "no Host";
}

TEST(RequestReader, RefusesAmbiguousFraming) {
    const std::string start = "POST / HTTP/1.1\r\nHost: h\r\n";

    EXPECT_EQ(Reading().refused_with(start + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n"), 400);
    EXPECT_EQ(Reading().refused_with(start + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
    EXPECT_EQ(Reading().refused_with(start + "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n"), 400);
    EXPECT_EQ(Reading().refused_with(start + "Transfer-Encoding: gzip\r\n\r\n"), 501);
    EXPECT_EQ(Reading().refused_with(start + "Content-Length: -1\r\n\r\n"), 400);
    EXPECT_EQ(Reading().refused_with(start + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n"), 400);
}

TEST(RequestReader, LetsAClientThatAsksSendItsBodyOnce) {
    Reading reading;

    EXPECT_EQ(reading.give("PUT / HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r\n"),
              Step::send_continue);
    EXPECT_EQ(reading.give("{}"), Step::complete);
}

TEST(RequestReader, DoesNotSayContinueToABodyThatIsThere) {
    Reading reading;

    EXPECT_EQ(reading.give("PUT / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n{}"),
              Step::complete);
}

TEST(RequestReader, FollowsTheClientsWishToClose) {
    Reading reading;
    reading.give("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    EXPECT_FALSE(reading.reader().keep_alive());

    Reading old;
    old.give("GET / HTTP/1.0\r\n\r\n");
    EXPECT_FALSE(old.reader().keep_alive());
    EXPECT_TRUE(old.reader().is_http_1_0());

    Reading old_kept;
    old_kept.give("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_TRUE(old_kept.reader().keep_alive());
}

}  // namespace
}  // namespace taskd::http
