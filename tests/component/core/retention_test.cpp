#include "support/collected.hpp"
#include "support/manual_clock.hpp"
#include "support/manual_executor.hpp"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <taskd/task_manager.hpp>

namespace taskd {
namespace {

using namespace std::chrono_literals;
using test::ManualTask;
using test::run_manual;
using testing::ElementsAre;
using testing::SizeIs;

class RetentionTest : public testing::Test {
  protected:
    explicit RetentionTest(Retention retention = {.ttl = 60s, .keep = 2, .most_listed = 5})
        : manager_({.retention = retention, .sweep_interval = 0ms, .threads = 1, .clock = &clock_}) {}

    void finish_one(const std::string& name) { run_manual(manager_, name).finish(); }
    std::vector<std::string> names(std::string_view glob = {}) {
        std::vector<std::string> found;
        for (const auto& task : manager_.list(glob).finished) found.push_back(task->name());
        return found;
    }

    test::ManualClock clock_;
    TaskManager manager_;
};

TEST_F(RetentionTest, AFinishedTaskStaysForItsTtl) {
    for (const char* name : {"a", "b", "c"}) finish_one(name);
    clock_.advance(60s);
    manager_.sweep();

    EXPECT_THAT(names(), ElementsAre("c", "b", "a"));
}

TEST_F(RetentionTest, AfterItOnlyTheNewestStay) {
    for (const char* name : {"a", "b", "c"}) finish_one(name);
    clock_.advance(60s + 1ns);
    manager_.sweep();

    EXPECT_THAT(names(), ElementsAre("c", "b"));
}

TEST_F(RetentionTest, TheTtlCountsFromTheEndNotTheBegin) {
    const ManualTask old = run_manual(manager_, "old");
    clock_.advance(1h);
    old.finish();
    finish_one("b");
    finish_one("c");
    clock_.advance(59s);
    manager_.sweep();

    EXPECT_THAT(names(), ElementsAre("c", "b", "old"));
}

TEST_F(RetentionTest, TheRuleRunsOverTheWholeListNotTheFilteredOne) {
    for (const char* name : {"x/1", "y/1", "y/2"}) finish_one(name);
    clock_.advance(2min);

    names("x/*");  // of these alone, the newest two would stay

    EXPECT_THAT(names("x/*"), SizeIs(0));
    EXPECT_THAT(names("y/*"), SizeIs(2));
}

TEST_F(RetentionTest, AListCleansUpWhatItsFilterHides) {
    for (const char* name : {"x/1", "x/2", "x/3"}) finish_one(name);
    clock_.advance(2min);

    names("nothing");

    EXPECT_THAT(names(), ElementsAre("x/3", "x/2"));
}

TEST_F(RetentionTest, TheAnswerIsComposedBeforeTheCleaning) {
    for (const char* name : {"a", "b", "c"}) finish_one(name);
    clock_.advance(2min);

    EXPECT_THAT(names(), SizeIs(3));
    EXPECT_THAT(names(), SizeIs(2));
}

TEST_F(RetentionTest, NeverMoreThanTheCapHoweverYoung) {
    for (int n = 0; n < 100; ++n) finish_one("task" + std::to_string(n));

    EXPECT_THAT(names(), ElementsAre("task99", "task98", "task97", "task96", "task95"));
}

class DroppedTask : public RetentionTest {
  protected:
    DroppedTask() {
        {
            const ManualTask manual = run_manual(manager_, "a");
            dropped_ = manual.task;
            manual.finish();
        }
        EXPECT_FALSE(dropped_.expired());
        for (int n = 0; n < 5; ++n) finish_one("b");
    }

    std::weak_ptr<Task> dropped_;
};

TEST_F(DroppedTask, IsFreedWithTheNextTask) {
    finish_one("b");

    EXPECT_TRUE(dropped_.expired());
}

TEST_F(DroppedTask, IsFreedByASweep) {
    manager_.sweep();

    EXPECT_TRUE(dropped_.expired());
}

TEST_F(RetentionTest, ManyDroppedTasksAreFreedBeforeTheNextTask) {
    std::vector<ManualTask> burst;
    std::vector<std::weak_ptr<Task>> dropped;
    for (int n = 0; n < 1000; ++n) burst.push_back(run_manual(manager_, "task" + std::to_string(n)));
    for (auto& manual : burst) {
        dropped.push_back(manual.task);
        manual.finish();
    }
    burst.clear();

    const auto alive = std::count_if(dropped.begin(), dropped.end(), [](const auto& task) { return !task.expired(); });
    EXPECT_LE(alive, 5 + 64);
}

TEST_F(RetentionTest, ADroppedTaskIsNotFoundByIdButStaysWithItsOwner) {
    const ManualTask manual = run_manual(manager_, "a");
    manual.finish(7);
    for (int n = 0; n < 5; ++n) finish_one("b");

    EXPECT_EQ(manager_.find_by_id(manual.task->id()), nullptr);
    EXPECT_EQ(manual.task->wait().value, 7);
}

TEST_F(RetentionTest, ExecutingTasksAreNeverDropped) {
    const ManualTask manual = run_manual(manager_, "a");
    clock_.advance(24h);
    for (int n = 0; n < 20; ++n) finish_one("b");
    manager_.sweep();

    EXPECT_EQ(manager_.executing_count(), 1U);
    EXPECT_EQ(manager_.find_by_id(manual.task->id()), manual.task);
    manual.finish();
}

TEST_F(RetentionTest, AStepOfTheWallClockDropsNothing) {
    for (const char* name : {"a", "b", "c"}) finish_one(name);
    clock_.step_wall(24h);
    manager_.sweep();

    EXPECT_THAT(names(), SizeIs(3));
}

TEST_F(RetentionTest, AWallClockThatGoesBackDoesNotReorderOrProlong) {
    finish_one("a");
    clock_.advance(1s);
    clock_.step_wall(-1h);
    finish_one("b");
    finish_one("c");
    EXPECT_THAT(names(), ElementsAre("c", "b", "a"));

    clock_.advance(59s + 1ns);
    manager_.sweep();

    EXPECT_THAT(names(), ElementsAre("c", "b"));
}

class KeepNothing : public RetentionTest {
  protected:
    KeepNothing() : RetentionTest({.ttl = 0s, .keep = 0, .most_listed = 0}) {}
};

TEST_F(KeepNothing, ListsNoFinishedTaskButItsOwnerHasIt) {
    const ManualTask manual = run_manual(manager_, "a");
    manual.finish(7);

    EXPECT_THAT(names(), SizeIs(0));
    EXPECT_EQ(manual.task->wait().value, 7);
}

class CapBelowKeep : public RetentionTest {
  protected:
    CapBelowKeep() : RetentionTest({.ttl = 60s, .keep = 10, .most_listed = 3}) {}
};

TEST_F(CapBelowKeep, TheCapWins) {
    for (int n = 0; n < 20; ++n) finish_one("a");

    EXPECT_THAT(names(), SizeIs(3));
}

TEST(Sweeper, FreesABurstThatNobodyReads) {
    test::ManualClock clock;
    TaskManager manager({.retention = {.ttl = 60s, .keep = 10}, .sweep_interval = 1ms, .threads = 1, .clock = &clock});
    std::vector<std::weak_ptr<Task>> burst;
    for (int n = 0; n < 500; ++n) {
        const ManualTask manual = run_manual(manager, "a");
        burst.push_back(manual.task);
        manual.finish();
    }
    clock.advance(61s);

    // Nobody lists: only the sweeper can free them.
    const auto alive = [&] {
        return std::count_if(burst.begin(), burst.end(), [](const auto& task) { return !task.expired(); });
    };
    while (alive() > 10) std::this_thread::yield();

    EXPECT_EQ(alive(), 10);
}

}  // namespace
}  // namespace taskd
