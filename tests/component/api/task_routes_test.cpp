#include "api_server.hpp"
#include "support/manual_executor.hpp"
#include "support/memory_journal_store.hpp"

#include <algorithm>
#include <future>
#include <stdexcept>

namespace taskd::api {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using Keys = std::set<std::string>;

class TaskRoutesTest : public ApiTest {};

TEST_F(TaskRoutesTest, AnEmptyListIsTwoEmptyArrays) {
    const auto answer = get("/api/task");

    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.content_type, media_type);
    EXPECT_EQ(answer.body, json({{"executing_tasks", json::array()}, {"finished_tasks", json::array()}}));
}

TEST_F(TaskRoutesTest, TheListHasExactlyTheDashboardsKeys) {
    test::run_manual(tasks, "test/running", {{"n", 1}});
    test::run_manual(tasks, "test/ended", {{"n", 2}}).finish();

    const auto list = get("/api/task").body;

    ASSERT_EQ(list["executing_tasks"].size(), 1U);
    EXPECT_EQ(keys_of(list["executing_tasks"][0]), (Keys{"name", "metadata", "begin_time", "progress"}));
    ASSERT_EQ(list["finished_tasks"].size(), 1U);
    EXPECT_EQ(keys_of(list["finished_tasks"][0]), (Keys{"name", "metadata", "begin_time", "end_time", "duration",
                                                        "progress", "success", "ret_value", "exception"}));
}

TEST_F(TaskRoutesTest, TheListMayBeFilteredByAGlob) {
    test::run_manual(tasks, "rbd/create");
    test::run_manual(tasks, "rbd/trash/move");
    test::run_manual(tasks, "command");

    EXPECT_EQ(get("/api/task?name=rbd/*").body["executing_tasks"].size(), 2U);
    EXPECT_EQ(get("/api/task?name=").body["executing_tasks"].size(), 3U);
    EXPECT_EQ(get("/api/task?name=nothing").body["executing_tasks"].size(), 0U);
}

TEST_F(TaskRoutesTest, WithDetailTheListHasAllThatIsKnown) {
    const auto task = test::run_manual(tasks, "rbd/create").task;

    const auto list = get("/api/task?detail=true").body["executing_tasks"];

    ASSERT_EQ(list.size(), 1U);
    EXPECT_EQ(list[0]["id"], task->id());
    EXPECT_EQ(list[0]["state"], "queued");
}

TEST_F(TaskRoutesTest, MistakesOfTheQueryAreNamed) {
    for (const auto* target : {"/api/task?nonsense=1", "/api/task?detail=perhaps", "/api/task?name=a&name=b"}) {
        const auto answer = get(target);
        EXPECT_EQ(answer.status, 400) << target;
        EXPECT_TRUE(answer.body.contains("detail"));
    }
}

TEST_F(TaskRoutesTest, OneTaskIsShownByItsId) {
    const auto manual = test::run_manual(tasks, "rbd/create", {{"image_name", "x"}});

    const auto answer = get("/api/task/" + manual.task->id());

    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body["id"], manual.task->id());
    EXPECT_EQ(answer.body["metadata"], json({{"image_name", "x"}}));
}

TEST_F(TaskRoutesTest, AnUnknownTaskIs404) {
    const auto answer = get("/api/task/01ARZ3NDEKTSV4RRFFQ69G5FAV");

    EXPECT_EQ(answer.status, 404);
    EXPECT_EQ(answer.body["component"], "taskd");
    EXPECT_EQ(request("DELETE", "/api/task/01ARZ3NDEKTSV4RRFFQ69G5FAV").status, 404);
}

TEST_F(TaskRoutesTest, ALongPollAnswersWhenTheTaskEnds) {
    const auto manual = test::run_manual(tasks, "rbd/create");
    auto answer = std::async(std::launch::async, [&] { return get("/api/task/" + manual.task->id() + "?wait=60"); });
    while (server.statistics().requests < 1) std::this_thread::yield();

    manual.finish(5);

    EXPECT_EQ(answer.get().body["state"], "finished");
}

TEST_F(TaskRoutesTest, ALongPollAnswersWhenItsTimeIsOver) {
    const auto manual = test::run_manual(tasks, "rbd/create");

    EXPECT_EQ(get("/api/task/" + manual.task->id() + "?wait=0.01").body["state"], "queued");
    EXPECT_EQ(get("/api/task/" + manual.task->id() + "?wait=0").body["state"], "queued");
}

TEST_F(TaskRoutesTest, ALongPollOfAFinishedTaskAnswersAtOnce) {
    const auto manual = test::run_manual(tasks, "rbd/create");
    manual.fail(std::runtime_error("no"));

    const auto view = get("/api/task/" + manual.task->id() + "?wait=60").body;

    EXPECT_EQ(view["success"], false);
    EXPECT_EQ(view["exception"], json({{"detail", "no"}}));
}

TEST_F(TaskRoutesTest, AWaitThatIsNoTimeIsAMistake) {
    const auto manual = test::run_manual(tasks, "rbd/create");
    for (const auto* wait : {"soon", "-1", "nan", "1e999", "1s", ""})
        EXPECT_EQ(get("/api/task/" + manual.task->id() + "?wait=" + wait).status, 400) << wait;
}

TEST_F(TaskRoutesTest, CancelAsksTheTaskAndIs202) {
    const auto manual = test::run_manual(tasks, "rbd/create");

    const auto answer = request("DELETE", "/api/task/" + manual.task->id());
    const auto forced = request("DELETE", "/api/task/" + manual.task->id() + "?force=true");

    EXPECT_EQ(answer.status, 202);
    EXPECT_EQ(answer.body["id"], manual.task->id());
    EXPECT_EQ(forced.status, 202);
    EXPECT_EQ(manual.executor->cancels, 1);
    EXPECT_EQ(manual.executor->forced_cancels, 1);
}

TEST_F(TaskRoutesTest, CancelOfAFinishedTaskIsAConflict) {
    const auto manual = test::run_manual(tasks, "rbd/create");
    manual.finish();

    EXPECT_EQ(request("DELETE", "/api/task/" + manual.task->id()).status, 409);
    EXPECT_EQ(manual.executor->cancels, 0);
}

TEST_F(TaskRoutesTest, CancelReachesTheWorkerAndTheTaskEndsAsCancelled) {
    const auto id = post_async("/api/block/image", {{"pool_name", "rbd"}, {"name", "x"}, {"size", 1}}).task_id;
    const auto given = crew.wait_for_order(id);

    request("DELETE", "/api/task/" + id);
    crew.wait_for_cancel(id);
    crew.fail(given, Error(ErrorKind::cancelled, ECANCELED, "rbd", "[errno 125] stopped"));

    const auto exception = get("/api/task/" + id + "?wait=60").body["exception"];
    EXPECT_EQ(exception["code"], "125");
    EXPECT_EQ(exception["status"], 400);
}

TEST_F(TaskRoutesTest, UnknownPathsAndMethodsAre404) {
    EXPECT_EQ(get("/api/nonsense").status, 404);
    EXPECT_EQ(request("PUT", "/api/task", "{}").status, 404);
    EXPECT_EQ(get("/api/nonsense").body["detail"], "The path '/api/nonsense' was not found.");
}

TEST_F(TaskRoutesTest, AnotherVersionIs415OnEveryRoute) {
    const std::vector<http::NameValue> other{{"Accept", "application/vnd.ceph.api.v2.0+json"}};
    for (const auto* target : {"/api/task", "/api/summary", "/api/task/x", "/api/task/history"})
        EXPECT_EQ(request("GET", target, {}, other).status, 415) << target;
    for (const auto* target : {"/api/block/image", "/api/command"})
        EXPECT_EQ(request("POST", target, "{}", other).status, 415) << target;
}

TEST_F(TaskRoutesTest, ATaskThatOnlyTheHistoryKnowsIsShownByItsId) {
    ceph::TaskHistory history(10);
    services.history = &history;
    const auto manual = test::run_manual(tasks, "rbd/create", {{"image_name", "x"}});
    const auto keys = keys_of(get("/api/task/" + manual.task->id()).body);
    manual.finish();
    history.add("01ARZ3NDEKTSV4RRFFQ69G5FAV", manual.task->finished_json());

    const auto answer = get("/api/task/01ARZ3NDEKTSV4RRFFQ69G5FAV?wait=60");

    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body["id"], "01ARZ3NDEKTSV4RRFFQ69G5FAV");
    EXPECT_EQ(answer.body["state"], "finished");
    EXPECT_TRUE(std::ranges::includes(keys_of(answer.body), keys)) << answer.body;
    EXPECT_EQ(request("DELETE", "/api/task/01ARZ3NDEKTSV4RRFFQ69G5FAV").status, 409);
}

// 404 is a promise that it was not accepted and never will be.
TEST_F(TaskRoutesTest, OfATaskThatIsBeingTakenBackNobodySaysThatItIsNotThere) {
    const auto store = std::make_shared<test::MemoryJournalStore>();
    store->claim("", "me", "");
    services.journal = std::make_shared<ceph::Journal>(store, "me", ceph::JournalOptions{}, [](const auto&) {});
    ceph::TaskRecord record;
    record.id = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
    record.name = "rbd/create";
    store->hold();
    services.journal->insert(record, [](const auto&) {});
    services.journal->withdraw(record.id);

    const auto answer = get("/api/task/" + record.id);
    EXPECT_EQ(answer.status, 503);
    EXPECT_TRUE(answer.retry_after);

    store->answer_all();
    ASSERT_TRUE(services.journal->wait_until_durable(60s));
    EXPECT_EQ(get("/api/task/" + record.id).status, 404);
}

TEST_F(TaskRoutesTest, WithoutAJournalThereIsNoHistory) {
    EXPECT_EQ(get("/api/task/history").status, 503);
}

}  // namespace
}  // namespace taskd::api
