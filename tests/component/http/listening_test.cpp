#include "http/client.hpp"
#include "http/listening_socket.hpp"
#include "test_server.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <taskd/error.hpp>
#include <unistd.h>

namespace taskd::http::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::StartsWith;

class Listening : public testing::Test {
  protected:
    Listening() {
        std::string pattern = std::filesystem::temp_directory_path() / "taskd-http-XXXXXX";
        directory_ = ::mkdtemp(pattern.data());
    }
    ~Listening() override { std::filesystem::remove_all(directory_); }

    std::string path() const { return directory_ / "taskd.sock"; }
    ServerOptions on_unix_socket() const {
        ServerOptions options;
        options.listen = {Endpoint::unix_socket(path())};
        return options;
    }

    /// The sentence of the error that a server fails with.
    static std::string refusal(const ServerOptions& options) {
        Gate gate;
        try {
            const Server server(options, test_router(gate));
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::unavailable);
            EXPECT_EQ(error.component(), "http");
            return error.what();
        }
        return "it listens";
    }

    std::filesystem::path directory_;
};

TEST_F(Listening, ReportsThePortThatTheSystemChose) {
    const TestServer test;

    EXPECT_EQ(test.endpoint().host, "127.0.0.1");
    EXPECT_NE(test.endpoint().port, 0);
}

TEST_F(Listening, ServesSeveralEndpoints) {
    auto options = on_unix_socket();
    options.listen.push_back(Endpoint::tcp("127.0.0.1", 0));
    options.listen.push_back(Endpoint::tcp("127.0.0.1", 0));
    const TestServer test(options);

    ASSERT_EQ(test.server.endpoints().size(), 3);
    for (const auto& endpoint : test.server.endpoints()) {
        RawConnection connection(endpoint);
        connection.send(get("/hello"));
        EXPECT_EQ(body_of(connection.response()), "hello") << endpoint.text();
    }
}

TEST_F(Listening, ServesIPv6BesideIPv4AndWritesItInBrackets) {
    ServerOptions options;
    options.listen = {Endpoint::parse("[::1]:0"), Endpoint::tcp("127.0.0.1", 0)};
    const TestServer test(options);

    EXPECT_THAT(test.endpoint().url(), testing::StartsWith("http://[::1]:"));
    Client client(test.endpoint());
    EXPECT_THAT(client.request("GET", "/peer", {}, "", std::chrono::seconds(10)).body, testing::StartsWith("[::1]:"));

    options.listen = {Endpoint::tcp("127.0.0.1", 0), test.endpoint()};
    EXPECT_EQ(refusal(options), "listen on " + test.endpoint().text() + ": Address already in use");
}

TEST_F(Listening, SaysWhatIsWrong) {
    const TestServer test;
    ServerOptions options;
    options.listen = {test.endpoint()};
    EXPECT_EQ(refusal(options), "listen on " + test.endpoint().text() + ": Address already in use");

    options.listen = {Endpoint::tcp("192.0.2.1", 0)};
    EXPECT_EQ(refusal(options), "listen on 192.0.2.1:0: Cannot assign requested address");

    options.listen = {Endpoint::unix_socket(directory_ / "missing" / "taskd.sock")};
    EXPECT_THAT(refusal(options), testing::EndsWith("No such file or directory"));
}

TEST_F(Listening, TellsHandlersWhoIsBehindAUnixSocket) {
    const TestServer test(on_unix_socket());
    auto connection = test.connect();

    connection.send(get("/peer"));

    EXPECT_EQ(body_of(connection.response()), "unix:" + path() + "|" + std::to_string(::getuid()));
}

TEST_F(Listening, GivesTheUnixSocketItsPermissions) {
    auto options = on_unix_socket();
    options.unix_mode = 0600;
    const TestServer test(options);

    struct stat file {};
    ASSERT_EQ(::stat(path().c_str(), &file), 0);
    EXPECT_EQ(file.st_mode & 0777, 0600);
}

TEST_F(Listening, RemovesTheUnixSocketAtStop) {
    TestServer test(on_unix_socket());
    ASSERT_TRUE(std::filesystem::exists(path()));

    test.server.stop(0ms);

    EXPECT_FALSE(std::filesystem::exists(path()));
}

TEST_F(Listening, ReplacesAUnixSocketThatNobodyAnswersOn) {
    {
        ListeningSocket crashed(Endpoint::unix_socket(path()), 5, 0600);
        std::filesystem::rename(path(), path() + ".kept");
    }
    std::filesystem::rename(path() + ".kept", path());

    const TestServer test(on_unix_socket());

    auto connection = test.connect();
    connection.send(get("/hello"));
    EXPECT_EQ(status_of(connection.response()), 200);
}

TEST_F(Listening, LeavesAUnixSocketThatSomebodyAnswersOn) {
    const TestServer test(on_unix_socket());

    EXPECT_EQ(refusal(on_unix_socket()), "listen on unix:" + path() + ": another process answers on it");
    auto connection = test.connect();
    connection.send(get("/hello"));
    EXPECT_EQ(status_of(connection.response()), 200);
}

TEST_F(Listening, LeavesAFileThatIsNoSocket) {
    std::ofstream(path()) << "precious";

    EXPECT_EQ(refusal(on_unix_socket()), "listen on unix:" + path() + ": the file exists and is no socket");
    EXPECT_TRUE(std::filesystem::exists(path()));
}

TEST_F(Listening, LeavesTheSocketOfASuccessorAtStop) {
    TestServer test(on_unix_socket());
    std::filesystem::remove(path());
    const TestServer successor(on_unix_socket());

    test.server.stop(0ms);

    auto connection = successor.connect();
    connection.send(get("/hello"));
    EXPECT_EQ(status_of(connection.response()), 200);
}

}  // namespace
}  // namespace taskd::http::test
