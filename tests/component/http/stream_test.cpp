#include "http/body_stream.hpp"
#include "http/client.hpp"
#include "support/test_certificate.hpp"
#include "test_server.hpp"

#include <deque>
#include <memory>
#include <mutex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace taskd::http::test {
namespace {

using namespace std::chrono_literals;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

/// Gives what the test gives it.
class Pieces final : public BodyStream {
  public:
    bool next(std::string& piece) override {
        const std::lock_guard lock(mutex_);
        if (pieces_.empty()) return !ended_;
        piece = std::move(pieces_.front());
        pieces_.pop_front();
        return true;
    }
    bool on_more(std::function<void()> wake) override {
        const std::lock_guard lock(mutex_);
        if (ended_ || !pieces_.empty()) return false;
        wake_ = std::move(wake);
        return true;
    }
    std::chrono::milliseconds patience() const override { return 60s; }

    void give(std::string piece) {
        change([&] { pieces_.push_back(std::move(piece)); });
    }
    void end() {
        change([&] { ended_ = true; });
    }

  private:
    template <typename Change>
    void change(Change change) {
        std::function<void()> wake;
        {
            const std::lock_guard lock(mutex_);
            change();
            wake = std::exchange(wake_, nullptr);
        }
        if (wake) wake();
    }

    std::mutex mutex_;
    std::deque<std::string> pieces_;
    bool ended_ = false;
    std::function<void()> wake_;
};

/// A server whose /stream is in the test's hands, and whose time limits are far beyond a test.
class StreamTest : public testing::Test {
  protected:
    explicit StreamTest(ServerOptions options = patient()) : server(std::move(options), router()) { server.start(); }

    static ServerOptions patient() {
        ServerOptions options;
        options.listen = {Endpoint::tcp("127.0.0.1", 0)};
        options.header_timeout = options.body_timeout = options.write_timeout = options.idle_timeout = 60s;
        return options;
    }
    Router router() {
        Router router;
        router.add("GET", "/stream", SyncHandler([this](const Request&) {
                       Response response;
                       response.content_type = "text/plain";
                       response.stream = pieces;
                       return response;
                   }));
        return router;
    }
    RawConnection connect() const { return RawConnection(server.endpoints().front()); }
    bool is_source_let_go() const {
        return eventually([this] { return pieces.use_count() == 1; });
    }

    std::shared_ptr<Pieces> pieces = std::make_shared<Pieces>();
    Server server;
};

TEST_F(StreamTest, SendsEachPieceAsAChunkWhenItComes) {
    auto connection = connect();
    connection.send(get("/stream", "Accept-Encoding: gzip\r\n"));
    const auto head = connection.until("\r\n\r\n");
    EXPECT_EQ(status_of(head), 200);
    EXPECT_THAT(head, HasSubstr("\r\nTransfer-Encoding: chunked\r\n"));
    EXPECT_THAT(head, Not(HasSubstr("Content-Length")));
    EXPECT_THAT(head, Not(HasSubstr("Content-Encoding")));

    pieces->give("one");
    EXPECT_EQ(connection.until("one\r\n"), "3\r\none\r\n");
    pieces->give(std::string(300, 'x'));
    EXPECT_EQ(connection.take(4), "12c\r");
    EXPECT_EQ(connection.until("x\r\n").size(), 1U + 300 + 2);
    pieces->end();

    EXPECT_EQ(connection.rest(), "0\r\n\r\n");
    EXPECT_TRUE(is_source_let_go());
}

TEST_F(StreamTest, HasNoChunksForAnOldClient) {
    auto connection = connect();
    connection.send("GET /stream HTTP/1.0\r\n\r\n");
    EXPECT_THAT(connection.until("\r\n\r\n"), Not(HasSubstr("Transfer-Encoding")));

    pieces->give("one");
    pieces->give("two");
    pieces->end();

    EXPECT_EQ(connection.rest(), "onetwo");
}

TEST_F(StreamTest, IsEndedWhenTheServerStops) {
    auto connection = connect();
    connection.send(get("/stream"));
    connection.until("\r\n\r\n");

    const auto begin = std::chrono::steady_clock::now();
    server.stop(60s);

    EXPECT_LT(std::chrono::steady_clock::now() - begin, 30s) << "it waited for the grace time";
    EXPECT_EQ(connection.rest(), "0\r\n\r\n");
}

TEST_F(StreamTest, IsEndedWhenTheServerStopsAlthoughTheClientDoesNotRead) {
    auto connection = connect();
    connection.send(get("/stream"));
    pieces->give(std::string(32 * 1024 * 1024, 'x'));
    connection.until("\r\n\r\n");

    const auto begin = std::chrono::steady_clock::now();
    server.stop(60s);

    EXPECT_LT(std::chrono::steady_clock::now() - begin, 30s) << "it waited for the grace time";
}

TEST_F(StreamTest, IsLetGoWhenTheClientHasGone) {
    auto connection = connect();
    connection.send(get("/stream"));
    connection.until("\r\n\r\n");
    EXPECT_EQ(server.statistics().connections_open, 1);

    connection.close();

    EXPECT_TRUE(is_source_let_go()) << "although nothing was sent";
    EXPECT_TRUE(eventually([this] { return server.statistics().connections_open == 0; }));
    EXPECT_EQ(server.statistics().session_failures, 0);
}

TEST_F(StreamTest, DropsWhatTheClientSendsMeanwhile) {
    auto connection = connect();
    connection.send(get("/stream"));
    connection.until("\r\n\r\n");

    connection.send(get("/stream"));
    connection.send(std::string(100'000, 'x'));
    pieces->give("one");
    EXPECT_EQ(connection.until("one\r\n"), "3\r\none\r\n");
    pieces->end();

    EXPECT_EQ(connection.until("0\r\n\r\n"), "0\r\n\r\n");
    EXPECT_EQ(server.statistics().requests, 1);
}

class HurriedStreamTest : public StreamTest {
  protected:
    HurriedStreamTest() : StreamTest(hurried()) {}

    static constexpr std::chrono::milliseconds limit{30};
    static ServerOptions hurried() {
        auto options = patient();
        options.write_timeout = options.idle_timeout = options.body_timeout = limit;
        return options;
    }
};

TEST_F(HurriedStreamTest, MayBeSilentForAsLongAsItLikes) {
    auto connection = connect();
    connection.send(get("/stream"));
    connection.until("\r\n\r\n");

    // Longer than all limits; that another connection is ended for its silence shows that they are looked at.
    auto other = connect();
    other.send(get("/nothing"));
    other.response();
    EXPECT_EQ(other.rest(), "");
    auto another = connect();
    another.send(get("/nothing"));
    another.response();
    EXPECT_EQ(another.rest(), "");

    pieces->give("one");
    EXPECT_EQ(connection.until("one\r\n"), "3\r\none\r\n");
}

TEST_F(HurriedStreamTest, IsCutOffWhenTheClientTakesNothing) {
    auto connection = connect();
    connection.keep_small_receive_buffer();
    connection.send(get("/stream"));
    connection.until("\r\n\r\n");

    pieces->give(std::string(32 * 1024 * 1024, 'x'));

    EXPECT_TRUE(is_source_let_go());
    EXPECT_TRUE(eventually([this] { return server.statistics().timeouts == 1; }));
}

class TlsStreamTest : public StreamTest {
  protected:
    TlsStreamTest() : StreamTest(with_tls()) {}

    static ServerOptions with_tls() {
        const taskd::test::TestCertificate made;
        auto options = patient();
        options.listen.front().tls = true;
        options.identity =
            std::make_shared<const TlsIdentity>(TlsPair{{"crt", made.certificate()}, {"key", made.key()}});
        return options;
    }
};

TEST_F(TlsStreamTest, IsReadByAClient) {
    Client client(server.endpoints().front(), Client::usual_max_body_bytes, {.verify = false});
    pieces->give("one");
    pieces->give(std::string(1'000'000, 'x'));
    pieces->end();

    const auto response = client.request("GET", "/stream", {}, {}, 20s);

    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, "one" + std::string(1'000'000, 'x'));
}

TEST_F(TlsStreamTest, IsLetGoWhenTheClientHasGone) {
    Client client(server.endpoints().front(), Client::usual_max_body_bytes, {.verify = false});

    // It has had enough before the stream has.
    EXPECT_ANY_THROW(client.request("GET", "/stream", {}, {}, 100ms));

    EXPECT_TRUE(is_source_let_go());
}

}  // namespace
}  // namespace taskd::http::test
