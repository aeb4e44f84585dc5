#include "api_server.hpp"
#include "support/manual_executor.hpp"

namespace taskd::api {
namespace {

using nlohmann::json;
using Keys = std::set<std::string>;

class SummaryRoutesTest : public ApiTest {
  protected:
    /// Once the cluster's state is known.
    json summary() {
        while (!cluster.current().snapshot) std::this_thread::yield();
        return get("/api/summary").body;
    }
};

TEST_F(SummaryRoutesTest, HasExactlyTheDashboardsKeys) {
    EXPECT_EQ(keys_of(summary()), (Keys{"health_status", "mgr_id", "mgr_host", "have_mon_connection", "executing_tasks",
                                        "finished_tasks", "version", "rbd_mirroring"}));
}

TEST_F(SummaryRoutesTest, TellsOfTheCluster) {
    const auto body = summary();

    EXPECT_EQ(body["health_status"], "HEALTH_OK");
    EXPECT_EQ(body["mgr_id"], "x");
    EXPECT_EQ(body["mgr_host"], "http://127.0.0.1:8080/");
    EXPECT_EQ(body["have_mon_connection"], true);
    EXPECT_EQ(body["version"], "ceph version 16.2.15 (abc) pacific (stable)");
    EXPECT_EQ(body["rbd_mirroring"], json::object());
}

TEST_F(SummaryRoutesTest, ListsTheTasksAsTheTaskListDoes) {
    test::run_manual(tasks, "rbd/create", {{"image_name", "x"}});
    test::run_manual(tasks, "rbd/delete", {{"image_spec", "rbd/y"}}).finish();

    const auto body = summary();
    const auto list = get("/api/task").body;

    EXPECT_EQ(body["executing_tasks"], list["executing_tasks"]);
    EXPECT_EQ(body["finished_tasks"], list["finished_tasks"]);
}

TEST_F(SummaryRoutesTest, TakesNoParameters) {
    EXPECT_EQ(get("/api/summary?detail=1").status, 400);
}

TEST_F(SummaryRoutesTest, AnswersWithAllKeysBeforeAnythingIsKnown) {
    // Asked before the first poll may have ended: both outcomes have all keys, and neither waits.
    const auto body = get("/api/summary").body;

    EXPECT_TRUE(body["health_status"].is_string());
    EXPECT_TRUE(body["have_mon_connection"].is_boolean());
    EXPECT_TRUE(body["executing_tasks"].is_array());
}

}  // namespace
}  // namespace taskd::api
