#include "cli/http_transport.hpp"
#include "http/server.hpp"
#include "support/test_certificate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <taskd/error.hpp>
#include <unistd.h>

namespace taskd::cli {
namespace {

using testing::HasSubstr;

TEST(HttpTransport, SendsTheRequestAndReadsTheAnswer) {
    http::Router router;
    http::Request got;
    router.add("DELETE", "/api/block/image/{image_spec}", http::SyncHandler([&got](const http::Request& request) {
                   got = request;
                   http::Response response;
                   response.status = 202;
                   response.headers.emplace_back("X-Task-Id", "ID");
                   response.body = std::string("{}");
                   return response;
               }));
    http::ServerOptions options;
    options.listen = {http::Endpoint::tcp("127.0.0.1", 0)};
    http::Server server(std::move(options), std::move(router));
    server.start();

    HttpTransport transport("http://" + server.endpoints().front().text(), "secret");
    const Answer answer = transport.request({.method = "DELETE",
                                             .target = "/api/block/image/rbd%2Fa%20b?snapshots=refuse",
                                             .headers = {{"accept", "x/y"}}});
    server.stop(std::chrono::milliseconds(1000));

    EXPECT_EQ(answer.status, 202);
    EXPECT_EQ(answer.headers.at("x-task-id"), "ID");
    EXPECT_EQ(answer.body, "{}");
    EXPECT_EQ(got.param("image_spec"), "rbd/a b");
    EXPECT_EQ(got.header("accept"), "x/y");
    EXPECT_EQ(got.header("authorization"), "Bearer secret");
}

TEST(HttpTransport, ADaemonThatIsNotThereGotNothing) {
    HttpTransport transport("unix:/nonexistent/ceph-taskd-" + std::to_string(::getpid()) + ".sock", "");
    try {
        transport.request({.method = "GET", .target = "/api/task"});
        FAIL() << "somebody answered";
    } catch (const TransportError& error) {
        EXPECT_FALSE(error.sent());
        EXPECT_THAT(error.what(), HasSubstr("cannot reach the daemon at unix:/nonexistent/"));
        EXPECT_THAT(error.what(), HasSubstr("is ceph-taskd running?"));
    }
}

TEST(HttpTransport, ADaemonThatIsNotTrustedGotNothing) {
    const taskd::test::TestCertificate certificate;
    http::ServerOptions options;
    options.listen = {http::Endpoint::parse("https://127.0.0.1:0")};
    options.identity = std::make_shared<const http::TlsIdentity>(
        http::TlsPair{{"crt", certificate.certificate()}, {"key", certificate.key()}});
    http::Server server(std::move(options), http::Router());
    server.start();

    HttpTransport transport(server.endpoints().front().url(), "secret");
    try {
        transport.request({.method = "GET", .target = "/api/task"});
        FAIL() << "it was trusted";
    } catch (const TransportError& error) {
        EXPECT_FALSE(error.sent());
        EXPECT_THAT(error.what(), HasSubstr("its certificate is not to be trusted"));
        EXPECT_THAT(error.what(), HasSubstr("(--ca FILE names whom to trust)"));
    }
}

TEST(HttpTransport, RefusesAnEndpointThatIsNone) {
    EXPECT_THROW(HttpTransport("ftp://x", ""), BadRequest);
}

}  // namespace
}  // namespace taskd::cli
