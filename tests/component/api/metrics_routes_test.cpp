#include "access_users.hpp"

#include <map>
#include <set>
#include <sstream>
#include <string>

namespace taskd::api {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// The values by series, as they are written: `name{label="value"}`.
using Series = std::map<std::string, double>;

Series series_of(const std::string& text) {
    Series series;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with('#')) continue;
        const auto space = line.rfind(' ');
        series.emplace(line.substr(0, space), std::stod(line.substr(space + 1)));
    }
    return series;
}

http::ClientResponse ask(const http::Server& at, std::string_view method, std::string_view path,
                         std::vector<http::NameValue> headers = {}) {
    http::Client client(at.endpoints().front());
    return client.request(method, path, headers, {}, std::chrono::seconds(60));
}

class MetricsRoutesTest : public ApiTest {
  protected:
    MetricsRoutesTest() {
        meters->http = [this] { return server.statistics(); };
        meters->routes = [this] { return server.route_statistics(); };
        meters->version = "1.2.3";
    }

    Series scrape() { return series_of(ask(server, "GET", "/metrics").body); }
    std::string create(const std::string& name) {
        return post("/api/block/image", {{"pool_name", "rbd"}, {"name", name}, {"size", 1 << 20}}).task_id;
    }
};

TEST_F(MetricsRoutesTest, ArePrometheusText) {
    const auto answer =
        ask(server, "GET", "/metrics", {{"Accept", "application/openmetrics-text;version=1.0.0,*/*;q=0.1"}});

    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.header("Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
    EXPECT_THAT(answer.body, HasSubstr("# TYPE taskd_tasks_ended_total counter\n"));
    EXPECT_THAT(answer.body, HasSubstr("taskd_build_info{version=\"1.2.3\"} 1\n"));
}

TEST_F(MetricsRoutesTest, CountTasksByNameAndOutcome) {
    workers_succeed();
    create("a");
    create("b");
    workers_fail(Error(ErrorKind::refused, EEXIST, "rbd", "it exists"));
    create("c");
    workers_fail(Error(ErrorKind::cancelled, ECANCELED, "rbd", "stopped"));
    create("d");

    const auto seen = scrape();

    EXPECT_EQ(seen.at(R"(taskd_tasks_ended_total{task="rbd/create",outcome="success"})"), 2);
    EXPECT_EQ(seen.at(R"(taskd_tasks_ended_total{task="rbd/create",outcome="failure"})"), 1);
    EXPECT_EQ(seen.at(R"(taskd_tasks_ended_total{task="rbd/create",outcome="cancelled"})"), 1);
    EXPECT_EQ(seen.at(R"(taskd_tasks_ended_total{task="rbd/delete",outcome="success"})"), 0);
    EXPECT_EQ(seen.at(R"(taskd_task_run_duration_seconds_count{task="rbd/create"})"), 4);
    EXPECT_EQ(seen.at(R"(taskd_task_run_duration_seconds_bucket{task="rbd/create",le="+Inf"})"), 4);
    EXPECT_EQ(seen.at(R"(taskd_task_wait_duration_seconds_count{task="rbd/create"})"), 4);
}

TEST_F(MetricsRoutesTest, TellWhatWaitsAndRuns) {
    crew.on_order = [](const auto&) {};
    for (int n = 0; n < 3; ++n)
        post_async("/api/block/image", {{"pool_name", "rbd"}, {"name", "x" + std::to_string(n)}, {"size", 1 << 20}});
    while (dispatcher.status().running < 3) std::this_thread::yield();

    const auto seen = scrape();

    EXPECT_EQ(seen.at("taskd_tasks_executing"), 3);
    EXPECT_EQ(seen.at("taskd_tasks_running"), 3);
    EXPECT_EQ(seen.at("taskd_tasks_waiting"), 0);
    EXPECT_EQ(seen.at("taskd_tasks_stalled"), 0);
    EXPECT_EQ(seen.at("taskd_queue_capacity"), 4);
    EXPECT_EQ(seen.at("taskd_workers_ready"), 1);
    EXPECT_EQ(seen.at("taskd_worker_starts_total"), 1);
    EXPECT_EQ(seen.at("taskd_worker_deaths_total"), 0);
}

TEST_F(MetricsRoutesTest, CountRequestsByRouteMethodAndClass) {
    get("/api/task/one");
    get("/api/task/another");
    get("/api/summary");

    const auto seen = scrape();

    EXPECT_EQ(seen.at(R"(taskd_http_requests_total{route="/api/task/{id}",method="GET",code="4xx"})"), 2);
    EXPECT_EQ(seen.at(R"(taskd_http_requests_total{route="/api/summary",method="GET",code="2xx"})"), 1);
    EXPECT_EQ(seen.at(R"(taskd_http_request_duration_seconds_count{route="/api/task/{id}",method="GET"})"), 2);
    EXPECT_EQ(seen.at("taskd_http_connections_accepted_total"), 4);
}

TEST_F(MetricsRoutesTest, DoNotGrowWithWhatClientsAndProgramsMakeUp) {
    workers_succeed();
    const auto ask_for_much = [this](const std::string& made_up) {
        create(made_up);
        get("/api/task/" + made_up);
        get("/no/such/" + made_up);
        get("/api/task?name=" + made_up);
        get("/%zz" + made_up);
        for (const std::string method : {"PATCH", "BREW", made_up.c_str()}) request(method, "/api/summary");
        tasks.run(made_up, nullptr, [] {})->wait();
    };
    ask_for_much("first");
    scrape();  // which is counted, too
    const auto before = scrape();

    for (int n = 0; n < 50; ++n) ask_for_much("made-up-" + std::to_string(n));

    const auto after = scrape();
    std::set<std::string> names_before;
    std::set<std::string> names_after;
    for (const auto& [name, value] : before) names_before.insert(name);
    for (const auto& [name, value] : after) names_after.insert(name);
    EXPECT_EQ(names_after, names_before);
    EXPECT_EQ(after.at(R"(taskd_tasks_ended_total{task="other",outcome="success"})"), 51);
    EXPECT_EQ(after.at(R"(taskd_http_requests_total{route="other",method="other",code="4xx"})"), 51 * 5);
}

TEST_F(MetricsRoutesTest, OfAStandbyAreItsOwn) {
    standing = {nullptr, "http://192.0.2.2:8280", "standby"};

    const auto answer = ask(server, "GET", "/metrics");

    EXPECT_EQ(answer.status, 200);
    const auto seen = series_of(answer.body);
    EXPECT_EQ(seen.at(R"(taskd_role{role="standby"})"), 1);
    EXPECT_EQ(seen.at(R"(taskd_role{role="active"})"), 0);
    EXPECT_EQ(seen.at("taskd_http_connections_open"), 1);
    EXPECT_FALSE(seen.contains("taskd_tasks_waiting")) << "a standby has no queue";
    EXPECT_FALSE(seen.contains("taskd_monitor_connected")) << "a standby does not ask";
}

TEST_F(MetricsRoutesTest, CountTheCapsThatAreMissingOnceTheyWereTested) {
    EXPECT_FALSE(scrape().contains("taskd_caps_missing"));
    const ceph::Cap cap{"pools", ceph::CommandTarget::Kind::mon, "allow command \"osd pool delete\"",
                        "to remove pools"};
    using Verdict = ceph::CapFinding::Verdict;
    caps = std::make_shared<const ceph::CapsReport>(ceph::CapsReport{
        "client.x", {{cap, "pools", {}, Verdict::missing, {}}, {cap, "pools", {}, Verdict::held, {}}}});

    EXPECT_EQ(scrape().at("taskd_caps_missing"), 1);
}

TEST_F(MetricsRoutesTest, TellTheRoleAndTheCluster) {
    standing.confirmed_at = std::chrono::steady_clock::now() - std::chrono::seconds(20);
    while (!cluster.current().have_mon_connection) std::this_thread::yield();

    const auto seen = scrape();

    EXPECT_EQ(seen.at(R"(taskd_role{role="active"})"), 1);
    EXPECT_GE(seen.at("taskd_role_confirmed_age_seconds"), 20);
    EXPECT_EQ(seen.at("taskd_monitor_connected"), 1);
    EXPECT_TRUE(seen.contains("taskd_cluster_status_age_seconds"));
}

/// A front with users, behind a proxy that is trusted.
class MetricsReadersTest : public UsersTest {
  protected:
    MetricsReadersTest() : UsersTest(state_with({{"reader", user("read-only")}, {"blocks", user("block-manager")}})) {
        meters->readers = MetricsReaders({http::Network::parse("198.51.100.0/24")});
    }
    void SetUp() override {
        UsersTest::SetUp();
        proxied.start();
    }
    void TearDown() override {
        proxied.stop(std::chrono::milliseconds(0));
        UsersTest::TearDown();
    }
    static http::ServerOptions proxied_options() {
        auto options = server_options();
        options.proxies = http::TrustedProxies({http::Network::parse("127.0.0.1")});
        return options;
    }
    int status_for(const std::string& client, const std::string& name = {}) {
        std::vector<http::NameValue> headers{{"X-Forwarded-For", client}};
        if (!name.empty()) headers.push_back(bearer(token(name)));
        return ask(proxied, "GET", "/metrics", headers).status;
    }

    http::Server proxied{proxied_options(), make_router(access())};
};

TEST_F(MetricsReadersTest, OfThisHostAndOfNamedNetworksNeedNoLogin) {
    EXPECT_EQ(ask(server, "GET", "/metrics").status, 200);
    EXPECT_EQ(status_for("198.51.100.7"), 200);
    EXPECT_EQ(status_for("203.0.113.7"), 401);
    EXPECT_EQ(ask(server, "GET", "/metrics", {{"X-Forwarded-For", "127.0.0.1"}}).status, 401)
        << "passed on by somebody whom nobody trusts";
}

TEST_F(MetricsReadersTest, OthersNeedTheRightToReadPrometheus) {
    EXPECT_EQ(status_for("203.0.113.7", "reader"), 200);
    EXPECT_EQ(status_for("203.0.113.7", "blocks"), 403);
    EXPECT_EQ(status_for("203.0.113.7", "nobody"), 401);
}

TEST_F(MetricsReadersTest, AStandbyKnowsNoUsersButItsNetworks) {
    standing = {nullptr, "http://192.0.2.2:8280", "standby"};

    EXPECT_EQ(status_for("198.51.100.7"), 200);
    EXPECT_EQ(status_for("203.0.113.7", "reader"), 401);
}

}  // namespace
}  // namespace taskd::api
