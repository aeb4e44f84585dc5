#include "http/client.hpp"

#include "http/listening_socket.hpp"
#include "test_server.hpp"

#include <cerrno>
#include <filesystem>
#include <future>

#include <sys/socket.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <taskd/error.hpp>

namespace taskd::http::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::StartsWith;

/// Accepts one connection and sends `answer` whatever was asked.
class CannedServer {
  public:
    explicit CannedServer(std::string answer)
        : socket_(Endpoint::tcp("127.0.0.1", 0), 5, 0),
          served_(std::async(std::launch::async, [this, text = std::move(answer)] { serve(text); })) {}

    const Endpoint& endpoint() const { return socket_.endpoint(); }

  private:
    void serve(const std::string& answer) {
        FileDescriptor connection;
        eventually([&] {
            connection = FileDescriptor(::accept4(socket_.descriptor(), nullptr, nullptr, SOCK_CLOEXEC));
            return static_cast<bool>(connection);
        });
        char request[1024];
        if (::recv(connection.get(), request, sizeof(request), 0) > 0)
            ::send(connection.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
    }

    ListeningSocket socket_;
    std::future<void> served_;
};

/// The error of a GET.
Error error_of(const Endpoint& endpoint, std::chrono::milliseconds timeout = 10s, std::size_t max_body = 1000) {
    Client client(endpoint, max_body);
    try {
        client.request("GET", "/", {}, "", timeout);
    } catch (const Error& error) {
        return error;
    }
    return Error(ErrorKind::internal, 0, "test", "no error");
}

TEST(Client, KeepsItsConnection) {
    TestServer test;
    Client client(test.endpoint());

    for (int count = 0; count < 3; ++count) {
        const auto response = client.request("GET", "/hello", {{"X-Own", "1"}}, "", 10s);
        EXPECT_EQ(response.status, 200);
        EXPECT_EQ(response.body, "hello");
        EXPECT_EQ(response.header("content-TYPE"), "text/plain");
    }

    EXPECT_EQ(test.server.statistics().connections_accepted, 1);
}

TEST(Client, SendsBodiesAndReadsLargeOnes) {
    TestServer test;
    Client client(test.endpoint());
    const std::string body(500'000, 'b');

    EXPECT_EQ(client.request("POST", "/echo", {}, body, 10s).body, body);
    EXPECT_EQ(client.request("POST", "/echo", {}, "", 10s).status, 200);
    EXPECT_EQ(client.request("GET", "/large", {}, "", 10s).body.size(), 4 * 1024 * 1024);
    EXPECT_EQ(client.request("HEAD", "/hello", {}, "", 10s).status, 404);
    EXPECT_EQ(client.request("GET", "/hello", {}, "", 10s).status, 200);
}

TEST(Client, ReadsTheAnswerOfAServerThatReadsNoFurther) {
    TestServer test;
    Client client(test.endpoint());

    EXPECT_EQ(client.request("POST", "/echo", {}, std::string(3'000'000, 'x'), 10s).status, 413);
    EXPECT_EQ(client.request("GET", "/hello", {}, "", 10s).status, 200);
}

TEST(Client, ConnectsAgainWhenAKeptConnectionHasEnded) {
    ServerOptions options;
    options.idle_timeout = 20ms;
    TestServer test(options);
    Client client(test.endpoint());
    client.request("GET", "/hello", {}, "", 10s);
    ASSERT_TRUE(eventually([&] { return test.server.statistics().connections_open == 0; }));

    EXPECT_EQ(client.request("POST", "/echo", {}, "x", 10s).body, "x");
}

TEST(Client, ReadsAnswersWithoutLengthAndInChunks) {
    const CannedServer until_end("HTTP/1.1 200 OK\r\n\r\nuntil the end");
    EXPECT_EQ(Client(until_end.endpoint()).request("GET", "/", {}, "", 10s).body, "until the end");

    const CannedServer chunked("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
    EXPECT_EQ(Client(chunked.endpoint()).request("GET", "/", {}, "", 10s).body, "abc");
}

TEST(Client, WaitsForTheAnswerBehindAnInterimOne) {
    const CannedServer server("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");

    EXPECT_EQ(Client(server.endpoint()).request("GET", "/", {}, "", 10s).body, "ok");
}

TEST(Client, SaysThatNobodyListens) {
    Endpoint endpoint;
    {
        const TestServer gone;
        endpoint = gone.endpoint();
    }

    const auto error = error_of(endpoint);

    EXPECT_EQ(error.kind(), ErrorKind::unavailable);
    EXPECT_EQ(error.component(), "http");
    EXPECT_EQ(error.errno_value(), ECONNREFUSED);
    EXPECT_EQ(std::string(error.what()), endpoint.text() + ": cannot connect: Connection refused");
}

TEST(Client, SaysThatAUnixSocketIsMissing) {
    const auto error = error_of(Endpoint::unix_socket("missing.sock"));

    EXPECT_EQ(std::string(error.what()), "unix:missing.sock: cannot connect: No such file or directory");
}

TEST(Client, GivesUpWhenTheTimeIsUp) {
    const ListeningSocket silent(Endpoint::tcp("127.0.0.1", 0), 5, 0);

    const auto error = error_of(silent.endpoint(), 30ms);

    EXPECT_EQ(error.errno_value(), ETIMEDOUT);
    EXPECT_EQ(std::string(error.what()), silent.endpoint().text() + ": no answer: timed out");
}

TEST(Client, RefusesBrokenAnswers) {
    const CannedServer nonsense("220 mail.example.org ESMTP\r\n\r\n");
    EXPECT_THAT(error_of(nonsense.endpoint()).what(), HasSubstr("malformed answer"));

    const CannedServer cut("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
    EXPECT_THAT(error_of(cut.endpoint()).what(), HasSubstr("in the middle of the answer"));

    const CannedServer nothing("");
    EXPECT_THAT(error_of(nothing.endpoint()).what(), HasSubstr("ended before the answer"));

    const CannedServer large("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n");
    EXPECT_THAT(error_of(large.endpoint()).what(), HasSubstr("malformed answer"));
}

TEST(Client, RefusesHeadersThatWouldSplitTheRequest) {
    const TestServer test;
    Client client(test.endpoint());

    EXPECT_THROW(client.request("GET", "/hello", {{"X", "a\r\nY: b"}}, "", 10s), BadRequest);
    EXPECT_THROW(client.request("GET", "/hello HTTP/1.1\r\nX: y", {}, "", 10s), BadRequest);
}

}  // namespace
}  // namespace taskd::http::test
