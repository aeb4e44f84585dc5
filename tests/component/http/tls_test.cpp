#include "http/client.hpp"
#include "support/test_certificate.hpp"
#include "test_server.hpp"

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <memory>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <taskd/error.hpp>

namespace taskd::http::test {
namespace {

using namespace std::chrono_literals;
using taskd::test::TestCertificate;
using testing::HasSubstr;

std::shared_ptr<const TlsIdentity> identity_of(const TestCertificate& made) {
    return std::make_shared<const TlsIdentity>(TlsPair{{"crt", made.certificate()}, {"key", made.key()}});
}

Endpoint https(Endpoint endpoint) {
    endpoint.tls = true;
    return endpoint;
}

/// A server with TLS, and files of certificates that clients may trust.
class Tls : public testing::Test {
  protected:
    Tls() {
        std::string pattern = std::filesystem::temp_directory_path() / "taskd-tls-XXXXXX";
        directory_ = ::mkdtemp(pattern.data());
        trusted_ = file("trusted.pem", certificate_);
    }
    ~Tls() override { std::filesystem::remove_all(directory_); }

    std::string file(const std::string& name, const TestCertificate& made) const {
        std::ofstream(directory_ / name) << made.certificate();
        return directory_ / name;
    }

    ServerOptions options() const {
        ServerOptions options;
        options.listen = {https(Endpoint::tcp("127.0.0.1", 0))};
        options.identity = identity_of(certificate_);
        return options;
    }

    Client client(const TestServer& test) const { return client(test.endpoint(), trusted_); }
    static Client client(const Endpoint& endpoint, const std::string& ca_file) {
        return Client(endpoint, Client::usual_max_body_bytes, {.ca_file = ca_file});
    }

    static ClientResponse get(Client& client, std::string_view target = "/hello") {
        return client.request("GET", target, {}, "", 20s);
    }
    static Error error_of(Client client) {
        try {
            get(client);
        } catch (const Error& error) {
            return error;
        }
        return Error(ErrorKind::internal, 0, "test", "no error");
    }

    const TestCertificate certificate_;
    std::filesystem::path directory_;
    std::string trusted_;
};

TEST_F(Tls, ServesRequestsOnAConnectionThatIsKept) {
    TestServer test(options());
    auto one = client(test);

    for (int count = 0; count < 5; ++count) EXPECT_EQ(get(one).body, "hello");

    EXPECT_EQ(test.server.statistics().connections_accepted, 1);
    EXPECT_EQ(test.server.statistics().tls_failures, 0);
}

TEST_F(Tls, CarriesLargeBodiesBothWays) {
    TestServer test(options());
    auto one = client(test);
    const std::string large(900'000, 'x');

    EXPECT_EQ(one.request("POST", "/echo", {}, large, 20s).body, large);
    EXPECT_EQ(get(one, "/large").body, std::string(4 * 1024 * 1024, 'l'));
    EXPECT_EQ(get(one).body, "hello");
}

TEST_F(Tls, WorksBesideEndpointsWithoutIt) {
    auto both = options();
    both.listen.push_back(Endpoint::tcp("127.0.0.1", 0));
    TestServer test(both);

    EXPECT_EQ(test.server.endpoints()[0].url().substr(0, 8), "https://");
    auto plain = Client(test.server.endpoints()[1]);
    EXPECT_EQ(get(plain).body, "hello");
    auto one = client(test);
    EXPECT_EQ(get(one).body, "hello");
}

TEST_F(Tls, IsNotTrustedWithoutReason) {
    TestServer test(options());

    const auto unknown = error_of(Client(test.endpoint()));
    EXPECT_EQ(unknown.errno_value(), EKEYREJECTED);
    EXPECT_THAT(unknown.what(), HasSubstr("its certificate is not to be trusted: self-signed certificate"));

    const auto other = error_of(client(test.endpoint(), file("other.pem", TestCertificate{})));
    EXPECT_EQ(other.errno_value(), EKEYREJECTED);
    EXPECT_TRUE(eventually([&] { return test.server.statistics().tls_failures == 2; }));
}

TEST_F(Tls, IsNotTrustedForAnotherHostOrAfterItsTime) {
    const TestCertificate of_another({.hosts = "DNS:elsewhere"});
    auto elsewhere = options();
    elsewhere.identity = identity_of(of_another);
    TestServer test(elsewhere);
    EXPECT_THAT(error_of(client(test.endpoint(), file("elsewhere.pem", of_another))).what(),
                HasSubstr("IP address mismatch"));

    const TestCertificate old({.ends_in = -60s});
    test.server.replace_identity(identity_of(old));
    EXPECT_THAT(error_of(client(test.endpoint(), file("old.pem", old))).what(), HasSubstr("certificate has expired"));
}

TEST_F(Tls, AClientSaysThatItsAuthoritiesCannotBeRead) {
    TestServer test(options());

    EXPECT_THAT(error_of(client(test.endpoint(), "/no/such/file")).what(), HasSubstr("/no/such/file"));
}

TEST_F(Tls, PlainHttpIsAnsweredPlainly) {
    TestServer test(options());
    auto connection = test.connect();

    connection.send(test::get("/hello"));

    const auto response = connection.response();
    EXPECT_EQ(status_of(response), 400);
    EXPECT_THAT(response, HasSubstr("This port speaks HTTPS only"));
    EXPECT_EQ(connection.rest(), "");
}

TEST_F(Tls, AClientSaysThatAServerHasNone) {
    TestServer test;

    const auto error = error_of(client(https(test.endpoint()), trusted_));
    EXPECT_EQ(error.errno_value(), ECONNABORTED);
    EXPECT_THAT(error.what(), HasSubstr("it does not speak HTTPS"));
}

TEST_F(Tls, OlderVersionsAreRefused) {
    TestServer test(options());
    const auto context = new_tls_context(TLS_client_method());
    SSL_CTX_set_min_proto_version(context.get(), TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context.get(), TLS1_1_VERSION);
    SSL_CTX_set_cipher_list(context.get(), "DEFAULT:@SECLEVEL=0");
    auto connection = test.connect();
    const TlsConnection tls(SSL_new(context.get()));
    SSL_set_fd(tls.get(), connection.descriptor());

    EXPECT_LE(SSL_connect(tls.get()), 0);
    EXPECT_TRUE(eventually([&] { return test.server.statistics().tls_failures == 1; }));
}

TEST_F(Tls, AHandshakeThatDoesNotComeIsCut) {
    auto hasty = options();
    hasty.header_timeout = 40ms;
    TestServer test(hasty);
    auto silent = test.connect();
    auto half = test.connect();
    half.send(std::string_view("\x16\x03\x01", 3));

    EXPECT_EQ(silent.rest(), "");
    EXPECT_EQ(half.rest(), "");
    EXPECT_EQ(test.server.statistics().timeouts, 2);
    EXPECT_TRUE(eventually([&] { return test.server.statistics().connections_open == 0; }));
}

TEST_F(Tls, NonsenseForAHandshakeEndsTheConnection) {
    TestServer test(options());
    auto connection = test.connect();

    connection.send(std::string(100, '\0'));

    connection.rest();
    EXPECT_EQ(test.server.statistics().tls_failures, 1);
}

TEST_F(Tls, AConnectionTooManyIsToldSo) {
    auto one_only = options();
    one_only.connections = 1;
    TestServer test(one_only);
    auto first = client(test);
    ASSERT_EQ(get(first).status, 200);

    auto second = client(test);
    EXPECT_EQ(get(second).status, 503);
}

TEST_F(Tls, AnotherIdentityIsForNewConnections) {
    TestServer test(options());
    auto before = client(test);
    ASSERT_EQ(get(before).body, "hello");
    const TestCertificate renewed;

    test.server.replace_identity(identity_of(renewed));

    EXPECT_EQ(get(before).body, "hello") << "a connection that was there";
    EXPECT_EQ(error_of(client(test)).errno_value(), EKEYREJECTED) << "a new one that trusts the old certificate only";
    auto after = client(test.endpoint(), file("renewed.pem", renewed));
    EXPECT_EQ(get(after).body, "hello");
    EXPECT_EQ(test.server.statistics().connections_accepted, 3);
}

TEST_F(Tls, ReplacingItUnderLoadLosesNoRequest) {
    auto threaded = options();
    threaded.threads = 2;
    TestServer test(threaded);
    const TestCertificate renewed;
    // Both are trusted, so that each connection succeeds whichever it meets.
    std::ofstream(directory_ / "both.pem") << certificate_.certificate() << renewed.certificate();
    const std::string both = directory_ / "both.pem";
    std::atomic<int> answered = 0;
    std::atomic<int> failed = 0;
    std::atomic<bool> enough = false;
    std::vector<std::thread> clients;
    for (int number = 0; number < 3; ++number)
        clients.emplace_back([&] {
            while (!enough) {
                auto one = client(test.endpoint(), both);
                try {
                    for (int count = 0; count < 3; ++count) ++(get(one).status == 200 ? answered : failed);
                } catch (const Error&) {
                    ++failed;
                }
            }
        });

    for (int count = 0; count < 20; ++count) {
        const int before = answered;
        test.server.replace_identity(identity_of(count % 2 == 0 ? renewed : certificate_));
        EXPECT_TRUE(eventually([&] { return answered >= before + 3; }));
    }
    enough = true;
    for (auto& one : clients) one.join();

    EXPECT_EQ(failed, 0);
}

TEST_F(Tls, StoppingEndsConnectionsInEveryState) {
    TestServer test(options());
    auto idle = client(test);
    ASSERT_EQ(get(idle).status, 200);
    auto silent = test.connect();
    auto half = test.connect();
    half.send(std::string_view("\x16\x03\x01", 3));
    ASSERT_TRUE(eventually([&] { return test.server.statistics().connections_open == 3; }));

    test.server.stop(10s);

    EXPECT_EQ(silent.rest(), "");
    EXPECT_EQ(half.rest(), "");
}

TEST_F(Tls, IsKeptFromStartingWithoutACertificate) {
    auto nobody = options();
    nobody.identity = nullptr;
    Gate gate;

    EXPECT_THROW(Server(nobody, test_router(gate)), std::invalid_argument);
}

}  // namespace
}  // namespace taskd::http::test
