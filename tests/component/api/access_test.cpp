#include "api_server.hpp"

namespace taskd::api {
namespace {

using nlohmann::json;

/// A front whose role the test sets before a request.
class AccessTest : public ApiTest {
  protected:
    void is_not_active(std::string state, std::string active_url = {}) {
        standing = {nullptr, std::move(active_url), std::move(state)};
    }
};

TEST_F(AccessTest, AStandbySendsItsClientsToTheActiveOne) {
    is_not_active("standby", "http://10.0.0.2:8280");
    http::Client client(server.endpoints().front());

    const auto response = client.request("GET", "/api/task?name=rbd/*", {}, {}, std::chrono::seconds(60));

    EXPECT_EQ(response.status, 303);
    EXPECT_EQ(response.header("Location"), "http://10.0.0.2:8280/api/task?name=rbd/*");
}

TEST_F(AccessTest, AStandbySendsBrowsersToThePageOfTheActiveOne) {
    const auto ask = [&](std::string_view path) {
        http::Client client(server.endpoints().front());
        return client.request("GET", path, {}, {}, std::chrono::seconds(60));
    };
    is_not_active("standby", "http://10.0.0.2:8280");
    EXPECT_EQ(ask("/").status, 303);
    EXPECT_EQ(ask("/").header("Location"), "http://10.0.0.2:8280/");
    EXPECT_EQ(ask("/assets/page.js").status, 200);

    is_not_active("standby");
    EXPECT_EQ(ask("/").status, 200) << "it waits for an active one";
}

TEST_F(AccessTest, AFrontThatKnowsNoActiveOneIsUnavailable) {
    is_not_active("recovering");
    for (const auto& answer : {get("/api/summary"), post("/api/block/image", json::object())}) {
        EXPECT_EQ(answer.status, 503);
        EXPECT_TRUE(answer.retry_after);
        EXPECT_NE(answer.body["detail"].get<std::string>().find("recovering"), std::string::npos);
    }
}

TEST_F(AccessTest, ItIsAliveInEveryRoleAndSaysWhich) {
    EXPECT_EQ(get("/healthz").body["state"], "active");
    is_not_active("standby");
    EXPECT_EQ(get("/healthz").status, 200);
    EXPECT_EQ(get("/healthz").body["state"], "standby");
}

TEST_F(AccessTest, ItIsReadyWhenItIsActiveAndAMonitorAnswers) {
    while (!cluster.current().have_mon_connection) std::this_thread::yield();
    EXPECT_EQ(get("/readyz").status, 200);
    is_not_active("standby");
    EXPECT_EQ(get("/readyz").status, 503);
}

TEST_F(AccessTest, ItIsNotReadyWhenNothingConfirmsThatItIsStillTheActiveOne) {
    while (!cluster.current().have_mon_connection) std::this_thread::yield();
    const auto now = std::chrono::steady_clock::now();
    standing.confirmed_at = now - std::chrono::seconds(1);
    EXPECT_EQ(get("/readyz").status, 200);

    standing.confirmed_at = now - std::chrono::seconds(20);

    EXPECT_EQ(get("/readyz").status, 503);
    EXPECT_GE(get("/readyz").body["role_age_seconds"].get<double>(), 20.0);
}

// Its lock may be another's by now: what it knows of is told, that it knows of nothing is no answer.
TEST_F(AccessTest, AFrontThatIsNotSureOfItsRoleSaysOfNothingThatItIsNotThere) {
    standing.is_sure = false;
    EXPECT_EQ(get("/api/summary").status, 200);
    for (const auto& answer :
         {get("/api/task/01ARZ3NDEKTSV4RRFFQ69G5FAV"), request("DELETE", "/api/task/01ARZ3NDEKTSV4RRFFQ69G5FAV")}) {
        EXPECT_EQ(answer.status, 503);
        EXPECT_TRUE(answer.retry_after);
    }

    standing.is_sure = true;
    EXPECT_EQ(get("/api/task/01ARZ3NDEKTSV4RRFFQ69G5FAV").status, 404);
}

TEST_F(AccessTest, AFrontThatIsNotSureOfItsRoleTellsHowItsTasksEnd) {
    standing.is_sure = false;
    workers_fail(Error(ErrorKind::not_found, ENOENT, "rbd", "[errno 2] RBD image not found"));

    const auto answer = request("DELETE", "/api/block/image/rbd%2Fx");

    EXPECT_EQ(answer.status, 404);
    EXPECT_FALSE(answer.task_id.empty());
}

TEST_F(AccessTest, ItSaysWhichCapsAreMissingAndIsReadyAllTheSame) {
    while (!cluster.current().have_mon_connection) std::this_thread::yield();
    EXPECT_TRUE(get("/readyz").body.at("caps").is_null()) << "before they were tested";
    const ceph::Cap cap{"pools", ceph::CommandTarget::Kind::mon, "allow command \"osd pool delete\"",
                        "to remove pools"};
    caps = std::make_shared<const ceph::CapsReport>(
        ceph::CapsReport{"client.x", {{cap, "pools", {}, ceph::CapFinding::Verdict::missing, {}}}});

    const auto answer = get("/readyz");

    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body.at("caps").at("user"), "client.x");
    EXPECT_EQ(answer.body.at("caps").at("missing").at(0).at("cap"), "mon 'allow command \"osd pool delete\"'");
}

}  // namespace
}  // namespace taskd::api
