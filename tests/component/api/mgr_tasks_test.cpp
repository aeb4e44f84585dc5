#include "access_users.hpp"
#include "support/manual_executor.hpp"

namespace taskd::api {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

/// A front that knows what the mgr is at, and users who may see some of it.
class MgrTasksTest : public UsersTest {
  protected:
    MgrTasksTest()
        : UsersTest(state_with(
              {{"admin", user("administrator")}, {"pools", user("pool-manager")}, {"objects", user("rgw-manager")}})) {
        services.mgr_tasks = [this] { return of_mgr; };
    }

    static mgr::MgrTask task(const std::string& name, const json& metadata, WallTime begin) {
        return {.name = name, .metadata = metadata, .begin_time = begin};
    }
    static mgr::MgrTask over(mgr::MgrTask task, WallTime end) {
        task.progress = 100;
        task.end = mgr::MgrTask::End{.time = end};
        return task;
    }
    static mgr::MgrTask event(mgr::MgrTask task) {
        task.is_event = true;
        return task;
    }
    static WallTime now() { return Clock::system().wall(); }

    json list(const std::string& name = "admin", const std::string& target = "/api/task") {
        return request("GET", target, {}, {bearer(token(name))}).body;
    }
    static std::vector<std::string> names(const json& tasks) {
        std::vector<std::string> all;
        for (const auto& one : tasks) all.push_back(one.at("name"));
        return all;
    }

    mgr::MgrTaskList of_mgr;
};

using Names = std::vector<std::string>;

TEST_F(MgrTasksTest, AreListedAmongOursNewestFirst) {
    const auto before = now() - 1h;
    test::run_manual(tasks, "rbd/create");
    test::run_manual(tasks, "rbd/copy").finish();
    of_mgr =
        mgr::listed({task("pool/create", {{"pool_name", "p"}}, now() + 1h), task("progress/x", json::object(), before),
                     over(task("pool/edit", json::object(), before), now() + 1h),
                     over(event(task("progress/y", json::object(), before)), before)});

    for (const auto* target : {"/api/task", "/api/summary"}) {
        const auto body = list("admin", target);
        EXPECT_EQ(names(body["executing_tasks"]), (Names{"pool/create", "rbd/create", "progress/x"})) << target;
        EXPECT_EQ(names(body["finished_tasks"]), (Names{"pool/edit", "rbd/copy", "progress/y"})) << target;
        EXPECT_EQ(keys_of(body["executing_tasks"][0]), keys_of(body["executing_tasks"][1]));
        EXPECT_EQ(keys_of(body["finished_tasks"][0]), keys_of(body["finished_tasks"][1]));
    }
}

TEST_F(MgrTasksTest, AreMeantByTheGlobToo) {
    of_mgr = mgr::listed({task("pool/create", json::object(), now()), task("progress/a/b", json::object(), now())});

    EXPECT_EQ(names(list("admin", "/api/task?name=pool/*")["executing_tasks"]), (Names{"pool/create"}));
    EXPECT_EQ(names(list("admin", "/api/task?name=progress*b")["executing_tasks"]), (Names{"progress/a/b"}));
    EXPECT_TRUE(list("admin", "/api/task?name=none")["executing_tasks"].empty());
}

TEST_F(MgrTasksTest, AreSeenByWhoMaySeeSuchTasks) {
    of_mgr = mgr::listed({over(task("pool/create", json::object(), now()), now() - 1s),
                          over(event(task("rbd/delete", json::object(), now())), now() - 2s),
                          over(event(task("progress/x", json::object(), now())), now() - 3s)});

    for (const auto* target : {"/api/task", "/api/summary"}) {
        EXPECT_EQ(names(list("admin", target)["finished_tasks"]), (Names{"pool/create", "rbd/delete", "progress/x"}));
        EXPECT_EQ(names(list("pools", target)["finished_tasks"]), (Names{"pool/create", "progress/x"}));
        EXPECT_EQ(names(list("objects", target)["finished_tasks"]), (Names{"progress/x"}));
    }
}

TEST_F(MgrTasksTest, AreNotListedBesideOursOfTheSameNameAndMetadataThatExecutes) {
    const json metadata{{"image_spec", "rbd/x"}};
    test::run_manual(tasks, "rbd/delete", metadata);
    of_mgr = mgr::listed(
        {event(task("rbd/delete", metadata, now())), event(task("rbd/delete", {{"image_spec", "rbd/y"}}, now() - 1h))});

    const auto executing = list()["executing_tasks"];

    ASSERT_EQ(executing.size(), 2);
    EXPECT_EQ(executing[0]["metadata"], metadata);
    EXPECT_EQ(executing[1]["metadata"], (json{{"image_spec", "rbd/y"}}));
}

TEST_F(MgrTasksTest, ThatWereUnderWayAtTheSameTimeAsOursAreListedOnce) {
    const json metadata{{"image_spec", "rbd/x"}};
    test::run_manual(tasks, "rbd/delete", metadata).finish();
    const auto same = event(over(task("rbd/delete", metadata, now() - 10s), now() + 10s));
    const auto earlier = event(over(task("rbd/delete", metadata, now() - 2h), now() - 1h));
    // Made at the dashboard: somebody waits for how that one ends.
    const auto own_of_dashboard = over(task("rbd/delete", metadata, now() - 10s), now() + 20s);
    of_mgr = mgr::listed({same, earlier, own_of_dashboard});

    const auto finished = list()["finished_tasks"];

    ASSERT_EQ(finished.size(), 3);
    EXPECT_EQ(finished[0]["end_time"], format_utc(own_of_dashboard.end->time));
    EXPECT_EQ(finished[2]["end_time"], format_utc(earlier.end->time));
}

TEST_F(MgrTasksTest, AreListedWithMetadataThatNoneOfOursCouldHave) {
    json deep = json::object();
    for (int level = 0; level < 100; ++level) deep = {{"in", deep}};
    of_mgr = mgr::listed({task("rbd/delete", deep, now()), task("rbd/delete", {{"text", "\xff"}}, now() - 1s),
                          event(over(task("rbd/delete", deep, now()), now()))});

    const auto body = list();

    EXPECT_EQ(names(body["executing_tasks"]), (Names{"rbd/delete", "rbd/delete"}));
    EXPECT_EQ(names(body["finished_tasks"]), (Names{"rbd/delete"}));
}

TEST_F(MgrTasksTest, AreNotInTheDetailedListWhichHasIdsOfOursAlone) {
    test::run_manual(tasks, "rbd/create");
    of_mgr = mgr::listed({task("pool/create", json::object(), now())});

    EXPECT_EQ(names(list("admin", "/api/task?detail=1")["executing_tasks"]), (Names{"rbd/create"}));
}

TEST_F(MgrTasksTest, LeaveBothArraysWhenThereAreNone) {
    EXPECT_EQ(list(), (json{{"executing_tasks", json::array()}, {"finished_tasks", json::array()}}));
}

}  // namespace
}  // namespace taskd::api
