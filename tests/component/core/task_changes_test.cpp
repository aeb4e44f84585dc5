#include "support/manual_executor.hpp"

#include <atomic>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <taskd/task_changes.hpp>
#include <taskd/task_manager.hpp>

namespace taskd {
namespace {

using nlohmann::json;
using test::run_manual;
using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> names_of(const TaskChanges::Look& look) {
    std::vector<std::string> names;
    for (const auto& task : look.tasks) names.push_back(task->name());
    return names;
}

TEST(TaskChanges, AreNotGatheredWhileNobodyWatches) {
    TaskManager manager;
    const auto manual = run_manual(manager, "before");
    manual.task->set_progress(10);

    manager.changes().start();

    EXPECT_THAT(names_of(manager.changes().take()), IsEmpty());
}

TEST(TaskChanges, TellOfEveryKindOfChange) {
    TaskManager manager;
    auto& changes = manager.changes();
    changes.start();
    RunOptions options;
    options.accepted = false;
    const auto manual = run_manual(manager, "one", {}, std::move(options));
    const auto task = manual.task;
    const auto is_told = [&] { return names_of(changes.take()) == std::vector<std::string>{"one"}; };
    ASSERT_TRUE(is_told()) << "it is there";

    task->set_accepted();
    EXPECT_TRUE(is_told()) << "it is accepted";
    task->set_phase(TaskPhase::running);
    EXPECT_TRUE(is_told()) << "phase";
    task->set_progress(10);
    EXPECT_TRUE(is_told()) << "progress";
    task->inc_progress(1);
    EXPECT_TRUE(is_told()) << "more progress";
    task->set_stalled(true);
    EXPECT_TRUE(is_told()) << "stalled";
    task->set_stalled(false);
    EXPECT_TRUE(is_told()) << "no longer stalled";
    task->set_waiting_for("something");
    EXPECT_TRUE(is_told()) << "what it waits for";
    task->set_queue_position(2);
    EXPECT_TRUE(is_told()) << "its place in line";
    manual.finish();
    EXPECT_TRUE(is_told()) << "its end";
    EXPECT_FALSE(is_told()) << "nothing more";
}

TEST(TaskChanges, AreNoneWhenEverythingIsAsItWas) {
    TaskManager manager;
    const auto task = run_manual(manager, "one").task;
    task->set_progress(10);
    task->set_waiting_for("something");
    task->set_queue_position(2);
    manager.changes().start();

    task->set_progress(10);
    task->inc_progress(0);
    task->set_stalled(false);
    task->set_waiting_for("something");
    task->set_queue_position(2);

    EXPECT_THAT(names_of(manager.changes().take()), IsEmpty());
}

TEST(TaskChanges, TellOfALongLineWhenAPlaceHasHalvedAndOfTheFirstTenEach) {
    TaskManager manager;
    const auto task = run_manual(manager, "one").task;
    manager.changes().start();

    std::vector<std::size_t> told;
    for (std::size_t position = 100; position > 0; --position) {
        task->set_queue_position(position);
        if (!names_of(manager.changes().take()).empty()) told.push_back(position);
        EXPECT_EQ(task->status().queue_position, position);
    }
    EXPECT_THAT(told, ElementsAre(100, 50, 25, 12, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1));

    told.clear();
    for (std::size_t position = 2; position <= 100; ++position) {
        task->set_queue_position(position);
        if (!names_of(manager.changes().take()).empty()) told.push_back(position);
    }
    EXPECT_THAT(told, ElementsAre(2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 22, 44, 88)) << "others go before it";
}

TEST(TaskChanges, TellATaskOnceHoweverOftenItChanges) {
    TaskManager manager;
    const auto one = run_manual(manager, "one");
    const auto other = run_manual(manager, "other");
    manager.changes().start();

    for (int percent = 1; percent <= 100; ++percent) {
        one.task->set_progress(percent);
        other.task->set_progress(percent);
    }

    EXPECT_THAT(names_of(manager.changes().take()), ElementsAre("one", "other"));
}

TEST(TaskChanges, SayWhenThereWereTooMany) {
    TaskChanges few(1);
    few.start();
    EXPECT_TRUE(few.take().is_complete);

    TaskManager manager;
    manager.changes().start();
    std::vector<test::ManualTask> many;
    for (int count = 0; count < 10'001; ++count) many.push_back(run_manual(manager, "many", {{"n", count}}));

    const auto look = manager.changes().take();
    EXPECT_FALSE(look.is_complete);
    EXPECT_EQ(look.tasks.size(), 10'000U);

    many.back().task->set_progress(1);
    const auto next = manager.changes().take();
    EXPECT_TRUE(next.is_complete);
    ASSERT_EQ(next.tasks.size(), 1U) << "one that found no room is told when it changes again";
    EXPECT_EQ(next.tasks.front(), many.back().task);
}

TEST(TaskChanges, OfBeforeAStopAreForgotten) {
    TaskManager manager;
    const auto task = run_manual(manager, "one").task;
    manager.changes().start();
    task->set_progress(10);
    manager.changes().stop();
    task->set_progress(20);
    manager.changes().start();
    EXPECT_THAT(names_of(manager.changes().take()), IsEmpty());

    task->set_progress(30);

    EXPECT_THAT(names_of(manager.changes().take()), ElementsAre("one"));
}

TEST(TaskChanges, AreNeverLostBetweenLooks) {
    TaskManager manager;
    const auto manual = run_manual(manager, "one");
    manager.changes().start();
    std::atomic<bool> ended{false};
    std::thread worker([&] {
        for (int count = 1; count <= 50'000; ++count) manual.task->set_progress(count % 101);
        manual.task->set_progress(77);
        ended = true;
    });

    int last_seen = -1;
    for (bool last = false; !last;) {
        last = ended;
        for (const auto& task : manager.changes().take().tasks) last_seen = task->progress();
    }

    worker.join();
    EXPECT_EQ(last_seen, 77) << "the last change is seen by the last look at the latest";
}

TEST(TaskChanges, OfTasksThatOutliveTheirManagerAreNoDanger) {
    std::shared_ptr<Task> task;
    {
        TaskManager manager;
        manager.changes().start();
        task = run_manual(manager, "one").task;
    }

    task->set_progress(10);

    EXPECT_EQ(task->progress(), 10);
}

}  // namespace
}  // namespace taskd
