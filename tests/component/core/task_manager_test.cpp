#include "support/blocker.hpp"
#include "support/collected.hpp"
#include "support/manual_executor.hpp"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <taskd/error.hpp>
#include <taskd/task_manager.hpp>

namespace taskd {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using test::Blocker;
using test::Collected;
using test::ManualTask;
using test::run_manual;

class TaskManagerTest : public testing::Test {
  protected:
    /// Whether a run with `second` joins an executing task with `first`.
    bool joins(const json& first, const json& second) {
        const ManualTask manual = run_manual(manager_, "a", first);
        const ManualTask again = run_manual(manager_, "a", second);
        const bool same = again.task == manual.task;
        manual.finish();
        if (!same) again.finish();
        return same;
    }

    // A test with listeners makes its own after what they write to.
    const TaskManagerOptions two_threads{.sweep_interval = 0ms, .threads = 2};
    TaskManager manager_{two_threads};
};

// Identity

TEST_F(TaskManagerTest, EqualMetadataJoins) {
    EXPECT_TRUE(joins({{"a", 1}, {"b", {{"c", {1, 2}}}}}, json::parse(R"({"b": {"c": [1, 2]}, "a": 1.0})")));
    EXPECT_TRUE(joins(nullptr, json::object()));
}

TEST_F(TaskManagerTest, OtherMetadataDoesNotJoin) {
    EXPECT_FALSE(joins({{"a", 1}}, {{"a", "1"}}));
    EXPECT_FALSE(joins({{"a", 1}}, {{"a", true}}));
    EXPECT_FALSE(joins({{"a", nullptr}}, json::object()));
    EXPECT_FALSE(joins({{"a", ""}}, {{"a", nullptr}}));
    EXPECT_FALSE(joins({{"a", {{"b", 1}}}}, {{"a", {{"b", 2}}}}));
}

TEST_F(TaskManagerTest, TheSameMetadataUnderAnotherNameDoesNotJoin) {
    const ManualTask a = run_manual(manager_, "a", {{"x", 1}});
    const ManualTask b = run_manual(manager_, "b", {{"x", 1}});

    EXPECT_NE(a.task, b.task);
    a.finish();
    b.finish();
}

TEST_F(TaskManagerTest, AFinishedTaskIsNotJoined) {
    const auto first = manager_.run("a", {{"x", 1}}, [] { return 1; });
    first->wait();
    const auto second = manager_.run("a", {{"x", 1}}, [] { return 2; });

    EXPECT_NE(first, second);
    EXPECT_EQ(second->wait().value, 2);
    EXPECT_EQ(manager_.list().finished.size(), 2U);
}

TEST_F(TaskManagerTest, CreatedTellsWhetherTheTaskIsNew) {
    bool created = false;
    Blocker blocker;
    const auto first = manager_.run_function(
        "a", nullptr, [&]() -> json { return blocker.block(), nullptr; }, {}, &created);
    EXPECT_TRUE(created);
    manager_.run_function("a", nullptr, nullptr, {}, &created);
    EXPECT_FALSE(created);
    blocker.release();
    first->wait();
}

TEST_F(TaskManagerTest, TheMetadataIsKeptAsGiven) {
    const json metadata = {{"image_spec", "rbd/vm-1"}, {"nested", {1, nullptr, {{"é", 0.5}}}}};

    const auto task = manager_.run("a", metadata, [] {});

    EXPECT_EQ(task->metadata(), metadata);
    EXPECT_EQ(manager_.run("b", nullptr, [] {})->metadata(), json::object());
}

TEST_F(TaskManagerTest, BadNamesAndMetadataAreRefused) {
    EXPECT_THROW(manager_.run("a", json::array(), [] {}), BadRequest);
    EXPECT_THROW(manager_.run("a", "text", [] {}), BadRequest);
    EXPECT_THROW(manager_.run("a", {{"x", "\xFF"}}, [] {}), BadRequest);
    EXPECT_THROW(manager_.run("\xFF", nullptr, [] {}), BadRequest);
    EXPECT_EQ(manager_.executing_count(), 0U);
}

// Finding

TEST_F(TaskManagerTest, FindSeesExecutingTasksOnly) {
    const ManualTask manual = run_manual(manager_, "a", {{"x", 1}});

    EXPECT_EQ(manager_.find("a", {{"x", 1.0}}), manual.task);
    EXPECT_EQ(manager_.find("a", {{"x", 2}}), nullptr);
    EXPECT_EQ(manager_.find("b", {{"x", 1}}), nullptr);
    manual.finish();
    EXPECT_EQ(manager_.find("a", {{"x", 1}}), nullptr);
}

TEST_F(TaskManagerTest, FindByIdSeesExecutingAndListedTasks) {
    const ManualTask manual = run_manual(manager_, "a");

    EXPECT_EQ(manager_.find_by_id(manual.task->id()), manual.task);
    manual.finish();
    EXPECT_EQ(manager_.find_by_id(manual.task->id()), manual.task);
    EXPECT_EQ(manager_.find_by_id("01ARZ3NDEKTSV4RRFFQ69G5FAV"), nullptr);
}

TEST_F(TaskManagerTest, ARecoveredTaskKeepsItsIdBeginAndArguments) {
    RunOptions options;
    options.id = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
    options.begin_time = parse_utc("2020-01-01T00:00:00Z");
    options.arguments = {{"size", 1}};

    const ManualTask manual = run_manual(manager_, "a", nullptr, std::move(options));

    EXPECT_EQ(manager_.find_by_id("01ARZ3NDEKTSV4RRFFQ69G5FAV"), manual.task);
    EXPECT_EQ(manual.task->arguments(), (json{{"size", 1}}));
    EXPECT_EQ(manual.task->executing_json().at("begin_time"), "2020-01-01T00:00:00.000000Z");
    manual.finish();
}

// Acceptance

TEST_F(TaskManagerTest, ATaskThatIsNotYetAcceptedIsJoinedButNotListed) {
    RunOptions options;
    options.accepted = false;
    const ManualTask manual = run_manual(manager_, "a", {{"x", 1}}, std::move(options));

    EXPECT_FALSE(manual.task->is_accepted());
    EXPECT_TRUE(manager_.list().executing.empty());
    EXPECT_EQ(manager_.run("a", {{"x", 1}}, [] {}), manual.task);

    manual.task->set_accepted();

    EXPECT_THAT(manager_.list().executing, testing::ElementsAre(manual.task));
    manual.finish();
    EXPECT_THAT(manager_.list().finished, testing::ElementsAre(manual.task));
}

TEST_F(TaskManagerTest, ATaskThatEndsBeforeItWasAcceptedLeavesNoTrace) {
    RunOptions options;
    options.accepted = false;
    const ManualTask manual = run_manual(manager_, "a", nullptr, std::move(options));

    manual.fail(std::runtime_error("not durable"));

    EXPECT_TRUE(manager_.list().finished.empty());
    EXPECT_EQ(manager_.find_by_id(manual.task->id()), nullptr);
    EXPECT_EQ(manager_.executing_count(), 0U);
    EXPECT_THROW(manual.task->wait(), std::runtime_error);
}

// The end of a task

TEST_F(TaskManagerTest, TheEndIsAnnounced) {
    Collected<json> events;
    TaskManager manager(two_threads);
    manager.notifications().register_listener([&](const json& value) { events.add(value); },
                                              {std::string(TaskManager::finished_event)});

    const auto task = manager.run("a", {{"x", 1}}, [] {});

    EXPECT_EQ(events.wait_for(1).at(0), (json{{"id", task->id()}, {"name", "a"}, {"metadata", {{"x", 1}}}}));
}

TEST_F(TaskManagerTest, AListenerNeverSeesTheTaskAsExecuting) {
    Collected<bool> seen;
    TaskManager manager(two_threads);
    manager.notifications().register_listener(
        [&](const json& event) {
            const auto found = manager.list(event.at("name").get<std::string>());
            seen.add(found.executing.empty() && found.finished.size() == 1);
        },
        {std::string(TaskManager::finished_event)}, 100);

    for (int n = 0; n < 300; ++n) manager.run("task" + std::to_string(n), nullptr, [] {});

    EXPECT_THAT(seen.wait_for(300), testing::Each(true));
}

TEST_F(TaskManagerTest, NeitherListNorFindSeeATaskAsExecutingAfterItsWait) {
    for (int n = 0; n < 1000; ++n) {
        const auto task = manager_.run("a", nullptr, [] {});
        task->wait();
        ASSERT_EQ(manager_.find("a", nullptr), nullptr);
        ASSERT_EQ(manager_.executing_count(), 0U);
        ASSERT_EQ(manager_.list().finished.at(0), task);
    }
}

TEST_F(TaskManagerTest, AFinishedTaskIsNeverAmongTheExecuting) {
    std::atomic<bool> stop = false;
    std::atomic<int> contradictions = 0;
    std::jthread observer([&] {
        while (!stop)
            if (const auto task = manager_.find("a", nullptr);
                task && task->is_finished() && manager_.find("a", nullptr) == task)
                ++contradictions;
    });
    for (int n = 0; n < 2000; ++n) manager_.run("a", nullptr, [] {})->wait();
    stop = true;
    observer.join();

    EXPECT_EQ(contradictions, 0);
}

TEST_F(TaskManagerTest, AListenerMayRunTasks) {
    Collected<std::string> names;
    TaskManager manager(two_threads);
    manager.notifications().register_listener([&](const json& event) {
        names.add(event.at("name"));
        if (event.at("name") == "first") manager.run("second", nullptr, [] {});
    });

    manager.run("first", nullptr, [] {});

    EXPECT_THAT(names.wait_for(2), testing::ElementsAre("first", "second"));
}

TEST_F(TaskManagerTest, AWaiterMayRunTheSamePairAgain) {
    const ManualTask first = run_manual(manager_, "a", {{"x", 1}});
    std::shared_ptr<Task> second;
    first.task->on_finished([&] { second = manager_.run("a", {{"x", 1}}, [] { return 2; }); });

    first.finish();

    ASSERT_NE(second, nullptr);
    EXPECT_NE(second, first.task);
    EXPECT_EQ(second->wait().value, 2);
}

// Lifetime

TEST(TaskManagerLifetime, TheDestructorRunsWhatIsQueuedAndDeliversTheNews) {
    Collected<json> events;
    std::atomic<int> ran = 0;
    {
        TaskManager manager({.sweep_interval = 0ms, .threads = 2});
        manager.notifications().register_listener([&](const json& event) { events.add(event); });
        for (int n = 0; n < 200; ++n) manager.run("a", {{"n", n}}, [&] { ++ran; });
    }
    EXPECT_EQ(ran, 200);
    EXPECT_EQ(events.size(), 200U);
}

TEST(TaskManagerLifetime, TasksAndListenersMayCallTheManagerWhileItEnds) {
    Collected<std::size_t> listed;
    Blocker blocker;
    {
        TaskManager manager({.sweep_interval = 1ms, .threads = 1});
        manager.notifications().register_listener([&](const json&) { listed.add(manager.list().finished.size()); });
        manager.run("a", nullptr, [&] {
            blocker.block();
            manager.run("b", nullptr, [&] { return manager.list_json(); });
        });
        blocker.wait_until_blocked();
        blocker.release();
    }
    EXPECT_EQ(listed.size(), 2U);
}

TEST(TaskManagerLifetime, ARunByAListenerAfterThePoolEndedFails) {
    Collected<std::string> failures;
    std::shared_ptr<Task> late;
    {
        TaskManager manager({.sweep_interval = 0ms, .threads = 1});
        manager.notifications().register_listener(
            [&](const json&) {
                manager.pool().join();
                late = manager.run("late", nullptr, [] {});
            },
            {"now"});
        manager.pool().join();
        manager.notifications().new_notification("now", nullptr);
    }
    ASSERT_NE(late, nullptr);
    EXPECT_THROW(late->wait(0ns), Error);
}

TEST(TaskManagerLifetime, ATaskMayOutliveItsManager) {
    ManualTask manual;
    {
        TaskManager manager({.sweep_interval = 0ms, .threads = 1});
        manual = run_manual(manager, "a");
    }
    manual.finish(5);

    EXPECT_EQ(manual.task->wait().value, 5);
    EXPECT_EQ(manual.task->finished_json().at("success"), true);
}

TEST(TaskManagerLifetime, ATaskMayEndWhileItsManagerDoes) {
    for (int round = 0; round < 100; ++round) {
        auto manager = std::make_unique<TaskManager>(TaskManagerOptions{.sweep_interval = 0ms, .threads = 1});
        manager->notifications().register_listener([](const json&) {});
        const ManualTask manual = run_manual(*manager, "a");
        const std::jthread ender([&] { manual.finish(); });
        manager.reset();
    }
}

}  // namespace
}  // namespace taskd
