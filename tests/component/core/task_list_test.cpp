#include "support/manual_clock.hpp"
#include "support/manual_executor.hpp"

#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <taskd/task_manager.hpp>

namespace taskd {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using test::ManualTask;
using test::run_manual;
using testing::ElementsAre;
using testing::UnorderedElementsAre;

class TaskListTest : public testing::Test {
  protected:
    std::vector<std::string> executing(std::string_view glob = {}) {
        std::vector<std::string> names;
        for (const auto& task : manager_.list(glob).executing) names.push_back(task->name());
        return names;
    }
    std::vector<std::string> finished(std::string_view glob = {}) {
        std::vector<std::string> names;
        for (const auto& task : manager_.list(glob).finished) names.push_back(task->name());
        return names;
    }
    std::vector<std::string> keys(const json& view) {
        std::vector<std::string> names;
        for (const auto& [key, value] : view.items()) names.push_back(key);
        return names;
    }

    test::ManualClock clock_;
    TaskManager manager_{{.sweep_interval = 0ms, .threads = 1, .clock = &clock_}};
};

TEST_F(TaskListTest, IsEmptyAtFirst) {
    EXPECT_EQ(manager_.list_json(), (json{{"executing_tasks", json::array()}, {"finished_tasks", json::array()}}));
}

TEST_F(TaskListTest, ExecutingTasksAreOrderedByBeginNewestFirst) {
    for (const char* name : {"b", "c", "a"}) {
        run_manual(manager_, name);
        clock_.advance(1s);
    }
    EXPECT_THAT(executing(), ElementsAre("a", "c", "b"));
}

TEST_F(TaskListTest, OfEqualBeginsTheLastAcceptedIsFirst) {
    for (const char* name : {"b", "c", "a"}) run_manual(manager_, name);

    EXPECT_THAT(executing(), ElementsAre("a", "c", "b"));
}

TEST_F(TaskListTest, FinishedTasksAreOrderedByEndNewestFirst) {
    const ManualTask a = run_manual(manager_, "a");
    const ManualTask b = run_manual(manager_, "b");
    const ManualTask c = run_manual(manager_, "c");
    for (const auto& task : {b, c, a}) {
        clock_.advance(1s);
        task.finish();
    }
    EXPECT_THAT(finished(), ElementsAre("a", "c", "b"));
}

TEST_F(TaskListTest, TheGlobIsFnmatchs) {
    for (const char* name : {"rbd/create", "rbd/snap/create", "RBD/create", "pool/create"})
        run_manual(manager_, name).finish();

    EXPECT_THAT(finished("rbd/*"), UnorderedElementsAre("rbd/create", "rbd/snap/create")) << "a star crosses slashes";
    EXPECT_THAT(finished("*create"), testing::SizeIs(4));
    EXPECT_THAT(finished("rbd/create"), ElementsAre("rbd/create"));
    EXPECT_THAT(finished("rbd"), testing::SizeIs(0)) << "the whole name";
    EXPECT_THAT(finished("?b?/create"), ElementsAre("rbd/create"));
    EXPECT_THAT(finished("[pq]ool*"), ElementsAre("pool/create"));
    EXPECT_THAT(finished("[!r]*"), UnorderedElementsAre("RBD/create", "pool/create"));
    EXPECT_THAT(finished(""), testing::SizeIs(4));
    EXPECT_THAT(finished("*"), testing::SizeIs(4));
}

TEST_F(TaskListTest, ABackslashIsALetter) {
    run_manual(manager_, "a\\b").finish();
    run_manual(manager_, "ab").finish();

    EXPECT_THAT(finished("a\\b"), ElementsAre("a\\b"));
    EXPECT_THAT(finished("a\\*"), ElementsAre("a\\b"));
}

TEST_F(TaskListTest, TheGlobFiltersExecutingTasksToo) {
    run_manual(manager_, "rbd/create");
    run_manual(manager_, "pool/create");

    EXPECT_THAT(executing("rbd/*"), ElementsAre("rbd/create"));
}

TEST_F(TaskListTest, EntriesHaveExactlyTheDashboardsKeys) {
    run_manual(manager_, "executing");
    run_manual(manager_, "done").finish(1);
    run_manual(manager_, "failed").fail(std::runtime_error("boom"));

    const json list = manager_.list_json();
    EXPECT_THAT(keys(list), UnorderedElementsAre("executing_tasks", "finished_tasks"));
    EXPECT_THAT(keys(list.at("executing_tasks").at(0)),
                UnorderedElementsAre("name", "metadata", "begin_time", "progress"));
    for (const auto& finished : list.at("finished_tasks"))
        EXPECT_THAT(keys(finished), UnorderedElementsAre("name", "metadata", "begin_time", "end_time", "duration",
                                                         "progress", "success", "ret_value", "exception"));
}

TEST_F(TaskListTest, AResultIsShownOnlyOnSuccessAndAnExceptionOnlyOnFailure) {
    run_manual(manager_, "done").finish({{"x", 1}});
    run_manual(manager_, "failed").fail(std::runtime_error("boom"));

    const json done = manager_.list_json("done").at("finished_tasks").at(0);
    EXPECT_EQ(done.at("ret_value"), (json{{"x", 1}}));
    EXPECT_EQ(done.at("exception"), nullptr);
    EXPECT_EQ(done.at("success"), true);
    const json failed = manager_.list_json("failed").at("finished_tasks").at(0);
    EXPECT_EQ(failed.at("ret_value"), nullptr);
    EXPECT_EQ(failed.at("exception"), (json{{"detail", "boom"}}));
    EXPECT_EQ(failed.at("success"), false);
}

TEST_F(TaskListTest, WhatIsListedInPlaceOfAValueIsNotWhatIsWaitedFor) {
    RunOptions options;
    options.listed_value = [](const json& value) { return json(value.get<std::string>().size()); };
    const ManualTask manual = run_manual(manager_, "a", nullptr, std::move(options));
    manual.finish("hunter2");

    EXPECT_EQ(manual.task->wait().value, "hunter2");
    EXPECT_EQ(manual.task->ret_value(), "hunter2");
    EXPECT_EQ(manual.task->finished_json().at("ret_value"), 7);
    EXPECT_EQ(manager_.list_json().at("finished_tasks").at(0).at("ret_value"), 7);
}

TEST_F(TaskListTest, AValueThatCannotBeMadeOneToListIsNotListed) {
    RunOptions options;
    options.listed_value = [](const json& value) { return json(value.get<std::string>()); };
    const ManualTask manual = run_manual(manager_, "a", nullptr, std::move(options));
    manual.finish(7);

    EXPECT_EQ(manual.task->wait().value, 7);
    EXPECT_EQ(manual.task->finished_json().at("ret_value"), nullptr);
}

TEST_F(TaskListTest, DurationIsSecondsAsAFloat) {
    const ManualTask manual = run_manual(manager_, "a");
    clock_.advance(1500ms);
    manual.finish();

    const json duration = manual.task->finished_json().at("duration");
    EXPECT_TRUE(duration.is_number_float());
    EXPECT_EQ(duration, 1.5);
}

TEST_F(TaskListTest, ArgumentsAndIdsAreNeverListed) {
    RunOptions options;
    options.arguments = {{"secret", "s3cr3t"}};
    const ManualTask manual = run_manual(manager_, "a", nullptr, std::move(options));
    const std::string executing = manager_.list_json().dump();
    manual.finish();
    const std::string finished = manager_.list_json().dump();

    for (const auto& text : {executing, finished}) {
        EXPECT_THAT(text, testing::Not(testing::HasSubstr("s3cr3t")));
        EXPECT_THAT(text, testing::Not(testing::HasSubstr(manual.task->id())));
    }
}

}  // namespace
}  // namespace taskd
