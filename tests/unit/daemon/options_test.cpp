#include "daemon/options.hpp"

#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>

namespace taskd::daemon {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

Options parse(std::vector<const char*> arguments) {
    ::unsetenv("TASKD_LISTEN");
    ::unsetenv("TASKD_SOCKET");
    arguments.insert(arguments.begin(), "ceph-taskd");
    return parse_options(static_cast<int>(arguments.size()), arguments.data());
}

Finished finished(std::vector<const char*> arguments) {
    try {
        parse(std::move(arguments));
    } catch (const Finished& end) {
        return end;
    }
    return {-1, "it would run"};
}

std::vector<std::string> texts(const std::vector<http::Endpoint>& endpoints) {
    std::vector<std::string> all;
    for (const auto& endpoint : endpoints) all.push_back(endpoint.text());
    return all;
}

TEST(Options, WithoutAnyItServesTheSocketAndLoopbackAsClientAdmin) {
    const auto options = parse({});

    EXPECT_EQ(options.cluster.name, "client.admin");
    ASSERT_EQ(options.listen.size(), 2U);
    EXPECT_EQ(options.listen[0].kind, http::Endpoint::Kind::unix_socket);
    EXPECT_EQ(options.listen[1].host, "127.0.0.1");
    EXPECT_EQ(options.dispatcher.workers, 2U);
    EXPECT_EQ(options.dispatcher.threads_per_worker, 16U);
    EXPECT_TRUE(options.use_journal);
}

TEST(Options, CoreFilesAreWrittenOnlyWhenTheyAreAskedFor) {
    EXPECT_FALSE(parse({}).core_files);
    EXPECT_TRUE(parse({"--core-files"}).core_files);
}

TEST(Options, TheFrontIsServedBeforeItsWorkers) {
    const auto options = parse({});
    EXPECT_EQ(options.nice, -10);
    EXPECT_EQ(options.worker_nice, nice_value());
    EXPECT_EQ(parse({"--nice", "0"}).nice, 0);
    EXPECT_TRUE(parse({}).real_time);
    EXPECT_FALSE(parse({"--no-real-time"}).real_time);
    EXPECT_NE(finished({"--nice", "1"}).exit_code, 0) << "a worker that has given up its rights could not go back";
}

TEST(Options, CephsOwnAreTakenAsCephTakesThem) {
    const auto options = parse({"-c", "/x/ceph.conf", "-n", "client.taskd", "-k", "/x/keyring", "--cluster", "other"});

    EXPECT_EQ(options.cluster.conf, "/x/ceph.conf");
    EXPECT_EQ(options.cluster.name, "client.taskd");
    EXPECT_EQ(options.cluster.keyring, "/x/keyring");
    EXPECT_EQ(options.cluster.cluster, "other");
}

TEST(Options, AnIdIsANameWithoutItsType) {
    EXPECT_EQ(parse({"--id", "taskd"}).cluster.name, "client.taskd");
    EXPECT_EQ(parse({"-i", "taskd"}).cluster.name, "client.taskd");
}

TEST(Options, ListensWhereItIsTold) {
    EXPECT_THAT(texts(parse({"--socket", "/x.sock", "--listen", "[::1]:1", "--listen", "localhost:2"}).listen),
                ::testing::ElementsAre("unix:/x.sock", "[::1]:1", "localhost:2"));
    EXPECT_THAT(texts(parse({"--socket", "/x.sock", "--no-listen"}).listen), ::testing::ElementsAre("unix:/x.sock"));
    EXPECT_THAT(texts(parse({"--socket", "", "--listen", "127.0.0.2:0"}).listen),
                ::testing::ElementsAre("127.0.0.2:0"));
}

TEST(Options, RefusesToListenBeyondLoopbackWhereNobodyIsAskedWhoTheyAre) {
    for (const char* endpoint : {"0.0.0.0:1", "[::]:1", "192.0.2.1:80", "example.com:80", "[::ffff:192.0.2.1]:1"}) {
        const auto end = finished({"--auth", "none", "--listen", endpoint});
        EXPECT_EQ(end.exit_code, 2) << endpoint;
        EXPECT_THAT(end.text, HasSubstr("loopback")) << endpoint;
        EXPECT_THAT(end.text, HasSubstr("--auth none")) << endpoint;
        EXPECT_EQ(texts(parse({"--socket", "", "--listen", endpoint}).listen), std::vector<std::string>{endpoint});
    }
    EXPECT_EQ(parse({"--auth", "none", "--listen", "localhost:1"}).auth, Options::Auth::none);
}

TEST(Options, UsersLogInUnlessItIsToldOtherwise) {
    EXPECT_EQ(parse({}).auth, Options::Auth::by_cluster);
    EXPECT_EQ(parse({"--auth", "auto"}).auth, Options::Auth::by_cluster);
    EXPECT_EQ(parse({"--auth", "own"}).auth, Options::Auth::own);
    EXPECT_EQ(parse({"--auth", "dashboard"}).auth, Options::Auth::dashboard);
    EXPECT_EQ(finished({"--auth", "nobody"}).exit_code, 2);
}

TEST(Options, WithACertificateTlsGoesWithoutSaying) {
    const auto options = parse({"--tls-certificate", "/c", "--tls-key", "/k", "--listen", "127.0.0.1:1", "--listen",
                                "http://[::1]:2", "--listen", "https://[::1]:3"});

    std::vector<std::string> urls;
    for (const auto& endpoint : options.listen) urls.push_back(endpoint.url());
    EXPECT_THAT(
        urls, ::testing::ElementsAre(StartsWith("unix:"), "https://127.0.0.1:1", "http://[::1]:2", "https://[::1]:3"));
    EXPECT_TRUE(options.tls.is_given());
    EXPECT_TRUE(parse({"--tls-from-cluster"}).listen[1].tls);
    EXPECT_FALSE(parse({}).listen[1].tls);
}

TEST(Options, TlsNeedsBothFilesOrTheCluster) {
    EXPECT_THAT(finished({"--tls-certificate", "/c"}).text, HasSubstr("--tls-key"));
    EXPECT_THAT(finished({"--tls-key", "/k"}).text, HasSubstr("--tls-certificate"));
    EXPECT_THAT(finished({"--tls-certificate", "/c", "--tls-key", "/k", "--tls-from-cluster"}).text,
                HasSubstr("--tls-from-cluster"));
    EXPECT_THAT(finished({"--listen", "https://127.0.0.1:1"}).text, HasSubstr("--tls-certificate"));
}

TEST(Options, NetworksOriginsAndTheUrlAreChecked) {
    const auto options = parse({"--trusted-proxy", "10.0.0.0/8", "--trusted-proxy", "::1", "--cors-origin",
                                "https://UI.example", "--public-url", "https://h:1/x/"});
    EXPECT_EQ(options.trusted_proxies.size(), 2U);
    EXPECT_THAT(options.cors_origins, ::testing::ElementsAre("https://ui.example"));
    EXPECT_EQ(options.public_url, "https://h:1/x");

    EXPECT_THAT(finished({"--trusted-proxy", "10.0.0.1/8"}).text, StartsWith("ceph-taskd: --trusted-proxy: "));
    EXPECT_THAT(finished({"--cors-origin", "*"}).text, StartsWith("ceph-taskd: --cors-origin: "));
    for (const char* url : {"h:1", "https://", "https:///x", "ftp://h", "https://h/ x", "https://h/?x"})
        EXPECT_THAT(finished({"--public-url", url}).text, StartsWith("ceph-taskd: --public-url: ")) << url;
}

TEST(Options, RefusesToServeNobody) {
    EXPECT_EQ(finished({"--socket", "", "--no-listen"}).exit_code, 2);
}

TEST(Options, AMistakeIsOneLineAndExitCode2) {
    for (const auto& arguments : std::vector<std::vector<const char*>>{{"--nonsense"},
                                                                       {"--listen", "nonsense"},
                                                                       {"--workers", "-1"},
                                                                       {"--workers", "many"},
                                                                       {"--threads", "0"},
                                                                       {"--grace", "-1"},
                                                                       {"--connect-timeout", "0"},
                                                                       {"--log-level", "loud"},
                                                                       {"-c"},
                                                                       {"surplus"}}) {
        const auto end = finished(arguments);
        EXPECT_EQ(end.exit_code, 2) << arguments[0];
        EXPECT_THAT(end.text, StartsWith("ceph-taskd: "));
        EXPECT_THAT(end.text, ::testing::Not(HasSubstr("\n"))) << end.text;
    }
}

TEST(Options, HelpAndVersionAreNoMistakes) {
    EXPECT_EQ(finished({"--help"}).exit_code, 0);
    EXPECT_THAT(finished({"--help"}).text, HasSubstr("--listen"));
    EXPECT_EQ(finished({"--version"}).exit_code, 0);
    EXPECT_THAT(finished({"--version"}).text, StartsWith("ceph-taskd "));
}

TEST(Options, TimesAreInSecondsAndMayHaveFractions) {
    const auto options = parse({"--grace", "0.25", "--stall-after", "2.5", "--connect-timeout", "7"});

    EXPECT_EQ(options.grace, std::chrono::milliseconds(250));
    EXPECT_EQ(options.dispatcher.stall_after, std::chrono::milliseconds(2500));
    EXPECT_EQ(options.cluster.connect_timeout, std::chrono::seconds(7));
}

TEST(Options, TheEnvironmentSaysWhereToListenUnlessTheCommandLineDoes) {
    ::setenv("TASKD_SOCKET", "/env.sock", 1);
    const char* const arguments[] = {"ceph-taskd", "--no-listen"};
    const auto from_environment = parse_options(2, arguments).listen;
    const char* const more[] = {"ceph-taskd", "--no-listen", "--socket", "/x.sock"};
    const auto from_both = parse_options(4, more).listen;
    ::unsetenv("TASKD_SOCKET");

    EXPECT_EQ(texts(from_environment), std::vector<std::string>{"unix:/env.sock"});
    EXPECT_EQ(texts(from_both), std::vector<std::string>{"unix:/x.sock"});
}

TEST(Options, WhoReadsTheMetricsIsNamedByNetworks) {
    EXPECT_TRUE(parse({}).metrics_open.empty());
    EXPECT_EQ(parse({"--metrics-open", "192.0.2.0/24", "--metrics-open", "::1"}).metrics_open.size(), 2U);
    EXPECT_THAT(finished({"--metrics-open", "prometheus"}).text, StartsWith("ceph-taskd: --metrics-open: "));
    EXPECT_EQ(finished({"--metrics-open", "prometheus"}).exit_code, 2);
}

}  // namespace
}  // namespace taskd::daemon
