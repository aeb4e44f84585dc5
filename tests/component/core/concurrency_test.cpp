// Many threads at once: identity, counts and answers stay right, and the cost of a task stays flat.

#include "support/blocker.hpp"
#include "support/collected.hpp"
#include "support/manual_executor.hpp"

#include <barrier>
#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <taskd/task_manager.hpp>

namespace taskd {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using test::ManualTask;
using test::run_manual;

constexpr int racers = 8;

TEST(Racing, RunsOfOneIdentityGetOneTaskAndEqualAnswers) {
    constexpr int rounds = 300;
    TaskManager manager({.sweep_interval = 0ms, .threads = 2});
    std::atomic<int> calls = 0;
    std::barrier round_begins(racers);
    std::barrier round_ends(racers);
    std::vector<std::array<std::shared_ptr<Task>, racers>> tasks(rounds);
    std::vector<std::unique_ptr<test::Blocker>> blockers;
    for (int round = 0; round < rounds; ++round) blockers.push_back(std::make_unique<test::Blocker>());
    {
        std::vector<std::jthread> threads;
        for (int racer = 0; racer < racers; ++racer)
            threads.emplace_back([&, racer] {
                for (int round = 0; round < rounds; ++round) {
                    test::Blocker& blocker = *blockers[static_cast<std::size_t>(round)];
                    round_begins.arrive_and_wait();
                    auto& task = tasks[static_cast<std::size_t>(round)][static_cast<std::size_t>(racer)];
                    task = manager.run("rbd/copy", {{"a", {{"b", {1, 2.0}}}}, {"c", nullptr}}, [&, round] {
                        ++calls;
                        blocker.block();
                        return round;
                    });
                    round_ends.arrive_and_wait();
                    if (racer == 0) blocker.release();
                    task->wait();
                }
            });
    }
    EXPECT_EQ(calls, rounds);
    for (int round = 0; round < rounds; ++round)
        for (const auto& task : tasks[static_cast<std::size_t>(round)]) {
            ASSERT_EQ(task, tasks[static_cast<std::size_t>(round)][0]);
            ASSERT_EQ(task->wait().value, round);
        }
}

TEST(Racing, RunsAgainstEndsNeverLoseACall) {
    // Whoever joins a task that is about to end gets its value; whoever comes after gets a new one.
    TaskManager manager({.sweep_interval = 0ms, .threads = 2});
    std::atomic<int> created = 0;
    std::atomic<int> calls = 0;
    std::atomic<int> answers = 0;
    {
        std::vector<std::jthread> threads;
        for (int racer = 0; racer < racers; ++racer)
            threads.emplace_back([&] {
                for (int n = 0; n < 1000; ++n) {
                    bool is_new = false;
                    const auto task = manager.run_function(
                        "a", {{"x", 1}}, [&]() -> json { return ++calls; }, {}, &is_new);
                    created += is_new ? 1 : 0;
                    answers += task->wait().state == VALUE_DONE ? 1 : 0;
                }
            });
    }
    EXPECT_EQ(created, calls);
    EXPECT_EQ(answers, racers * 1000);
    EXPECT_EQ(manager.executing_count(), 0U);
}

TEST(Racing, ListsWhileTasksComeAndGoAreWhole) {
    TaskManager manager({.retention = {.ttl = 0s, .keep = 3}, .sweep_interval = 1ms, .threads = 2});
    std::atomic<bool> stop = false;
    std::vector<std::jthread> readers;
    for (int n = 0; n < 2; ++n)
        readers.emplace_back([&] {
            while (!stop) {
                const auto list = manager.list("name*");
                std::set<std::string> ids;
                for (const auto& task : list.executing) ids.insert(task->id());
                for (const auto& task : list.finished) {
                    ids.insert(task->id());
                    ASSERT_TRUE(task->is_finished());
                    ASSERT_EQ(task->finished_json().at("success"), true);
                }
                ASSERT_EQ(ids.size(), list.executing.size() + list.finished.size()) << "a task twice in one list";
                manager.list_json().dump();
            }
        });
    for (int n = 0; n < 3000; ++n) {
        const auto task =
            manager.run("name" + std::to_string(n % 5), {{"n", n}}, [] { current_task()->inc_progress(10); });
        if (n % 100 == 0) task->wait();
    }
    stop = true;
}

TEST(Racing, FindByIdWhileTasksAreDropped) {
    TaskManager manager({.retention = {.ttl = 0s, .keep = 0, .most_listed = 2}, .sweep_interval = 1ms, .threads = 2});
    test::Collected<std::string> ids;
    std::jthread finder([&](const std::stop_token& stop) {
        while (!stop.stop_requested())
            for (const auto& id : ids.values()) {
                const auto task = manager.find_by_id(id);
                ASSERT_TRUE(task == nullptr || task->id() == id);
            }
    });
    for (int n = 0; n < 300; ++n) ids.add(manager.run("a", {{"n", n}}, [] {})->id());
}

TEST(ManyTasks, AHundredThousandMayExecuteAtOnce) {
    constexpr std::size_t many = 100'000;
    TaskManager manager({.retention = {.most_listed = 100}, .sweep_interval = 0ms, .threads = 1});
    std::vector<ManualTask> tasks;
    tasks.reserve(many);
    for (std::size_t n = 0; n < many; ++n) tasks.push_back(run_manual(manager, "rbd/create", {{"n", n}}));

    EXPECT_EQ(manager.executing_count(), many);
    EXPECT_EQ(manager.find("rbd/create", {{"n", 77'777}}), tasks[77'777].task);
    EXPECT_EQ(manager.find_by_id(tasks[4711].task->id()), tasks[4711].task);
    EXPECT_EQ(manager.list("rbd/*").executing.size(), many);
    EXPECT_EQ(manager.list("pool/*").executing.size(), 0U);
    for (const auto& task : tasks) task.finish();
    EXPECT_EQ(manager.executing_count(), 0U);
    EXPECT_EQ(manager.list().finished.size(), 100U);
}

TEST(ManyTasks, NamesThatAreMadeUpDoNotStayForEver) {
    TaskManager manager({.retention = {.most_listed = 10}, .sweep_interval = 0ms, .threads = 1});
    const ManualTask stays = run_manual(manager, "stays", {{"n", 1}});
    for (int n = 0; n < 5000; ++n) run_manual(manager, "name" + std::to_string(n)).finish();

    EXPECT_EQ(manager.find("stays", {{"n", 1}}), stays.task);
    stays.finish();
}

}  // namespace
}  // namespace taskd
