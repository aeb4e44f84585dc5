#include "api/task_view.hpp"

#include "support/manual_clock.hpp"
#include "support/manual_executor.hpp"

#include <set>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace taskd::api {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using Keys = std::set<std::string>;

Keys keys_of(const json& object) {
    Keys keys;
    for (const auto& [key, value] : object.items()) keys.insert(key);
    return keys;
}

const Keys executing_keys{"name",     "metadata",   "begin_time",    "progress",      "id",
                          "state",    "started_at", "duration",      "stalled_since", "waiting_for",
                          "end_time", "attempts",   "queue_position"};

class TaskViewTest : public ::testing::Test {
  protected:
    test::ManualClock clock;
    TaskManager tasks{{.sweep_interval = {}, .clock = &clock}};
    test::ManualTask manual = test::run_manual(tasks, "rbd/create", {{"image_name", "x"}});
};

TEST_F(TaskViewTest, OfATaskThatWaitsIsAllKeysWithNullForWhatDoesNotApply) {
    manual.task->set_waiting_for("a free slot");
    manual.task->set_queue_position(3);
    const auto view = task_detail(*manual.task);

    EXPECT_EQ(keys_of(view), executing_keys);
    EXPECT_EQ(view["id"], manual.task->id());
    EXPECT_EQ(view["state"], "queued");
    EXPECT_EQ(view["waiting_for"], "a free slot");
    EXPECT_EQ(view["queue_position"], 3);
    EXPECT_EQ(view["attempts"], 0);
    EXPECT_EQ(view["begin_time"], "2026-11-25T01:31:34.380289Z");
    for (const auto* key : {"started_at", "stalled_since", "end_time"}) EXPECT_EQ(view[key], nullptr) << key;
}

TEST_F(TaskViewTest, OfATaskThatRunsTellsSinceWhen) {
    manual.task->set_queue_position(1);
    clock.advance(2s);
    manual.task->set_phase(TaskPhase::running);
    clock.advance(3s);
    const auto view = task_detail(*manual.task);

    EXPECT_EQ(view["state"], "running");
    EXPECT_EQ(view["started_at"], "2026-11-25T01:31:36.380289Z");
    EXPECT_EQ(view["duration"], 5.0);
    EXPECT_EQ(view["attempts"], 1);
    EXPECT_EQ(view["waiting_for"], nullptr);
    EXPECT_EQ(view["queue_position"], nullptr);
}

TEST_F(TaskViewTest, OfAStalledTaskTellsSinceWhenAndWhatItWaitsFor) {
    manual.task->set_phase(TaskPhase::running);
    manual.task->set_stalled(true);
    manual.task->set_waiting_for("the cluster");
    const auto view = task_detail(*manual.task);

    EXPECT_EQ(view["stalled_since"], "2026-11-25T01:31:34.380289Z");
    EXPECT_EQ(view["waiting_for"], "the cluster");
}

TEST_F(TaskViewTest, OfAFinishedTaskHasTheResultToo) {
    clock.advance(1s);
    manual.finish(7);
    const auto view = task_detail(*manual.task);

    Keys keys = executing_keys;
    keys.merge(Keys{"success", "ret_value", "exception"});
    EXPECT_EQ(keys_of(view), keys);
    EXPECT_EQ(view["state"], "finished");
    EXPECT_EQ(view["end_time"], "2026-11-25T01:31:35.380289Z");
    EXPECT_EQ(view["ret_value"], 7);
    EXPECT_EQ(view["success"], true);
}

TEST_F(TaskViewTest, WhoAskedForATaskIsToldItsValueAndOthersWhatIsListed) {
    RunOptions options;
    options.owner = "alice";
    options.listed_value = [](const json&) { return json("***"); };
    const auto secret = test::run_manual(tasks, "command", {{"x", 1}}, std::move(options));
    secret.finish("hunter2");
    auth::User alice;
    alice.name = "alice";
    auth::User bob;
    bob.name = "bob";

    EXPECT_EQ(task_detail(*secret.task, alice)["ret_value"], "hunter2");
    EXPECT_EQ(task_detail(*secret.task, bob)["ret_value"], "***");
    EXPECT_EQ(task_detail(*secret.task)["ret_value"], "***");
}

TEST_F(TaskViewTest, AListHasTheDetailsOfEach) {
    const auto finished = test::run_manual(tasks, "rbd/delete", {{"image_spec", "rbd/y"}});
    finished.fail(std::runtime_error("no"));
    const auto view = detailed_list(tasks.list());

    EXPECT_EQ(keys_of(view), (Keys{"executing_tasks", "finished_tasks"}));
    EXPECT_EQ(view["executing_tasks"], json::array({task_detail(*manual.task)}));
    EXPECT_EQ(view["finished_tasks"], json::array({task_detail(*finished.task)}));
}

TEST_F(TaskViewTest, AnEmptyListIsTwoEmptyArrays) {
    EXPECT_EQ(detailed_list({}), json({{"executing_tasks", json::array()}, {"finished_tasks", json::array()}}));
}

}  // namespace
}  // namespace taskd::api
