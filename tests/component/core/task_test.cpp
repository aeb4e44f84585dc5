#include "support/blocker.hpp"
#include "support/collected.hpp"
#include "support/manual_clock.hpp"
#include "support/manual_executor.hpp"

#include <limits>
#include <stdexcept>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <taskd/error.hpp>
#include <taskd/task_manager.hpp>

namespace taskd {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using test::ManualTask;
using test::run_manual;

class TaskTest : public testing::Test {
  protected:
    ManualTask run(RunOptions options = {}) {
        return run_manual(manager_, "rbd/create", {{"a", 1}}, std::move(options));
    }

    test::ManualClock clock_;
    TaskManager manager_{{.sweep_interval = 0ms, .threads = 1, .clock = &clock_}};
};

// Progress

TEST_F(TaskTest, ProgressBeginsAtZero) {
    EXPECT_EQ(run().task->progress(), 0);
}

TEST_F(TaskTest, ProgressTakes0To100) {
    const auto [task, executor] = run();

    for (const int percent : {0, 1, 99, 100}) {
        task->set_progress(percent);
        EXPECT_EQ(task->progress(), percent);
    }
}

TEST_F(TaskTest, ProgressRefusesEverythingElse) {
    const auto [task, executor] = run();
    task->set_progress(7);

    for (const int percent : {-1, 101, std::numeric_limits<int>::min(), std::numeric_limits<int>::max()})
        EXPECT_THROW(task->set_progress(percent), std::invalid_argument) << percent;
    EXPECT_EQ(task->progress(), 7);
}

TEST_F(TaskTest, ProgressGrowsAndSaturates) {
    const auto [task, executor] = run();

    task->inc_progress(30);
    EXPECT_EQ(task->progress(), 30);
    task->inc_progress(0);
    EXPECT_EQ(task->progress(), 30);
    task->inc_progress(std::numeric_limits<int>::max());
    EXPECT_EQ(task->progress(), 100);
}

TEST_F(TaskTest, ProgressRefusesToGrowByLessThanNothing) {
    EXPECT_THROW(run().task->inc_progress(-1), std::invalid_argument);
}

TEST_F(TaskTest, IncrementsFromManyThreadsAddUp) {
    const auto [task, executor] = run();
    {
        std::vector<std::jthread> threads;
        for (int n = 0; n < 4; ++n)
            threads.emplace_back([&task = *task] {
                for (int step = 0; step < 20; ++step) task.inc_progress(1);
            });
    }
    EXPECT_EQ(task->progress(), 80);
}

TEST_F(TaskTest, ASuccessfulTaskIsAt100AndStaysThere) {
    const ManualTask manual = run();
    manual.task->set_progress(50);
    manual.finish();

    manual.task->set_progress(10);
    manual.task->inc_progress(10);

    EXPECT_EQ(manual.task->progress(), 100);
    EXPECT_EQ(manual.task->finished_json().at("progress"), 100);
}

TEST_F(TaskTest, AFailedTaskKeepsItsProgress) {
    const ManualTask manual = run();
    manual.task->set_progress(40);
    manual.fail(std::runtime_error("boom"));

    manual.task->set_progress(90);

    EXPECT_EQ(manual.task->progress(), 40);
}

TEST_F(TaskTest, ProgressSetWhileTheTaskEndsCannotUndoIts100Percent) {
    for (int round = 0; round < 200; ++round) {
        const ManualTask manual = run();
        {
            const std::jthread setter([&] {
                while (!manual.task->is_finished()) manual.task->set_progress(50);
            });
            manual.finish();
        }
        ASSERT_EQ(manual.task->progress(), 100);
    }
}

// Waiting

TEST_F(TaskTest, WaitGivesUpAfterItsTimeout) {
    const ManualTask manual = run();

    for (const std::chrono::nanoseconds timeout : {-1ns, 0ns, 1000000ns}) {
        const WaitResult result = manual.task->wait(timeout);
        EXPECT_EQ(result.state, "executing");
        EXPECT_EQ(result.value, nullptr);
    }
}

TEST_F(TaskTest, WaitTakesTheLongestTimeout) {
    const ManualTask manual = run();
    const std::jthread ender([&] { manual.finish(5); });

    EXPECT_EQ(manual.task->wait(std::chrono::nanoseconds::max()).value, 5);
}

TEST_F(TaskTest, EveryoneWhoWaitsGetsTheSame) {
    const ManualTask manual = run();
    test::Collected<json> values;
    {
        std::vector<std::jthread> waiters;
        for (int n = 0; n < 8; ++n) waiters.emplace_back([&] { values.add(manual.task->wait().value); });
        manual.finish({{"x", 1}});
    }
    EXPECT_THAT(values.values(), testing::AllOf(testing::SizeIs(8), testing::Each(json{{"x", 1}})));
}

TEST_F(TaskTest, EveryoneWhoWaitsGetsTheSameException) {
    const ManualTask manual = run();
    test::Collected<std::string> texts;
    {
        std::vector<std::jthread> waiters;
        for (int n = 0; n < 8; ++n)
            waiters.emplace_back([&] {
                try {
                    manual.task->wait();
                } catch (const Error& error) {
                    texts.add(error.what());
                }
            });
        manual.fail(Error(ErrorKind::refused, 17, "rbd", "exists"));
    }
    EXPECT_THAT(texts.values(), testing::AllOf(testing::SizeIs(8), testing::Each("exists")));
}

TEST_F(TaskTest, OnFinishedCallsOnceWhenTheTaskEnds) {
    const ManualTask manual = run();
    int calls = 0;

    EXPECT_NE(manual.task->on_finished([&] { ++calls; }), 0U);
    EXPECT_EQ(calls, 0);
    manual.finish();
    manual.finish();

    EXPECT_EQ(calls, 1);
}

TEST_F(TaskTest, OnFinishedAfterTheEndIsRefused) {
    const ManualTask manual = run();
    manual.finish();

    EXPECT_FALSE(manual.task->on_finished([] { FAIL(); }));
}

TEST_F(TaskTest, AForgottenCallbackIsNotCalled) {
    const ManualTask manual = run();
    int calls = 0;
    const auto first = manual.task->on_finished([&] { calls += 1; });
    manual.task->on_finished([&] { calls += 10; });

    manual.task->forget(first);
    manual.task->forget(first);
    manual.task->forget(0);
    manual.finish();
    manual.task->forget(first);

    EXPECT_EQ(calls, 10);
}

TEST_F(TaskTest, ACallbackThatThrowsHarmsNobody) {
    const ManualTask manual = run();
    int calls = 0;
    manual.task->on_finished([] { throw std::runtime_error("boom"); });
    manual.task->on_finished([&] { ++calls; });

    manual.finish();

    EXPECT_EQ(calls, 1);
}

TEST_F(TaskTest, AWaitThatGaveUpLeavesNothingBehind) {
    const ManualTask manual = run();
    const auto witness = std::make_shared<int>(0);
    manual.task->on_finished([witness] {});
    const auto id = manual.task->on_finished([witness] {});
    EXPECT_EQ(witness.use_count(), 3);

    manual.task->forget(id);
    for (int n = 0; n < 1000; ++n) manual.task->wait(0ns);

    EXPECT_EQ(witness.use_count(), 2);
    EXPECT_EQ(manual.task->on_finished([] {}), id + 1001);
}

// Outcome

TEST_F(TaskTest, TheOutcomeIsHiddenUntilTheEnd) {
    const ManualTask manual = run();

    EXPECT_FALSE(manual.task->is_finished());
    EXPECT_EQ(manual.task->ret_value(), nullptr);
    EXPECT_EQ(manual.task->exception_json(), nullptr);
    EXPECT_EQ(manual.task->failure(), nullptr);
    EXPECT_THROW(manual.task->finished_json(), std::logic_error);
}

TEST_F(TaskTest, OnlyTheFirstFinishCounts) {
    const ManualTask manual = run();
    manual.finish(1);
    manual.finish(2);
    manual.fail(std::runtime_error("late"));

    EXPECT_EQ(manual.task->wait().value, 1);
    EXPECT_EQ(manager_.list().finished.size(), 1U);
}

TEST_F(TaskTest, OfRacingFinishesOneCounts) {
    for (int round = 0; round < 50; ++round) {
        const ManualTask manual = run();
        {
            std::vector<std::jthread> enders;
            for (int n = 0; n < 4; ++n) enders.emplace_back([&, n] { manual.finish(n); });
        }
        ASSERT_EQ(manual.task->wait().value, manual.task->finished_json().at("ret_value"));
    }
    EXPECT_EQ(manager_.list().finished.size(), 50U);
}

TEST_F(TaskTest, ABadTextInAResultCannotSpoilTheList) {
    run().finish({{"image", "\xFF"}});
    run().fail(std::runtime_error("bad \x80"));

    const std::string text = manager_.list_json().dump();

    EXPECT_THAT(text, testing::HasSubstr("bad \xEF\xBF\xBD"));
}

TEST_F(TaskTest, TheHandlersAnswerIsListedAndTheExceptionIsRethrown) {
    int calls = 0;
    RunOptions options;
    options.exception_handler = [&](const std::exception_ptr& error, const Task& task) -> json {
        ++calls;
        return {{"detail", error_text(error)}, {"name", task.name()}, {"status", 418}};
    };
    const ManualTask manual = run(std::move(options));

    manual.fail(std::runtime_error("boom"));

    EXPECT_EQ(manual.task->exception_json(), (json{{"detail", "boom"}, {"name", "rbd/create"}, {"status", 418}}));
    EXPECT_THROW(manual.task->wait(), std::runtime_error);
    EXPECT_EQ(calls, 1);
}

TEST_F(TaskTest, TheHandlerIsNotAskedAboutSuccess) {
    RunOptions options;
    options.exception_handler = [](const std::exception_ptr&, const Task&) -> json { throw std::logic_error("asked"); };
    const ManualTask manual = run(std::move(options));

    manual.finish(1);

    EXPECT_EQ(manual.task->wait().value, 1);
}

TEST_F(TaskTest, WhatTheHandlerThrowsReplacesTheFailure) {
    RunOptions options;
    options.exception_handler = [](const std::exception_ptr&, const Task&) -> json {
        throw std::out_of_range("handler broke");
    };
    const ManualTask manual = run(std::move(options));

    manual.fail(std::runtime_error("boom"));

    EXPECT_THROW(manual.task->wait(), std::out_of_range);
    EXPECT_EQ(manual.task->exception_json(), (json{{"detail", "handler broke"}}));
}

TEST_F(TaskTest, ExceptionsThatAreNoStdExceptionsAreKeptToo) {
    const ManualTask manual = run();
    manual.fail(42);

    EXPECT_THROW(manual.task->wait(), int);
    EXPECT_EQ(manual.task->exception_json(), (json{{"detail", "unknown exception"}}));
}

// Cancelling

TEST_F(TaskTest, CancelAsksTheExecutorOncePerCall) {
    const ManualTask manual = run();

    manual.task->cancel();
    manual.task->cancel();
    manual.task->cancel(true);

    EXPECT_EQ(manual.executor->cancels, 2);
    EXPECT_EQ(manual.executor->forced_cancels, 1);
    manual.finish();
}

TEST_F(TaskTest, CancelAfterTheEndDoesNothing) {
    const ManualTask manual = run();
    manual.finish();

    manual.task->cancel();

    EXPECT_EQ(manual.executor->cancels, 0);
}

// Status

TEST_F(TaskTest, StatusFollowsTheTask) {
    const ManualTask manual = run();
    const WallTime begin = clock_.wall();
    EXPECT_EQ(manual.task->status().phase, TaskPhase::queued);
    EXPECT_EQ(manual.task->status().attempts, 0);
    EXPECT_EQ(manual.task->status().started_at, std::nullopt);

    clock_.advance(2s);
    manual.task->set_waiting_for("image rbd/vm-1 is busy");
    EXPECT_EQ(manual.task->status().waiting_for, "image rbd/vm-1 is busy");
    manual.task->set_phase(TaskPhase::running);
    EXPECT_EQ(manual.task->status().phase, TaskPhase::running);
    EXPECT_EQ(manual.task->status().waiting_for, "");
    EXPECT_EQ(manual.task->status().started_at, begin + 2s);
    EXPECT_EQ(manual.task->status().duration_s, 2);

    clock_.advance(1s);
    manual.finish();
    clock_.advance(1s);
    const TaskStatus status = manual.task->status();
    EXPECT_EQ(status.phase, TaskPhase::finished);
    EXPECT_EQ(status.begin_time, begin);
    EXPECT_EQ(status.started_at, begin + 2s);
    EXPECT_EQ(status.end_time, begin + 3s);
    EXPECT_EQ(status.duration_s, 3);
    EXPECT_EQ(status.progress, 100);
    EXPECT_EQ(status.attempts, 1);
}

TEST_F(TaskTest, EachReturnToRunningIsAnAttempt) {
    const ManualTask manual = run();
    const WallTime begin = clock_.wall();
    for (int attempt = 0; attempt < 3; ++attempt) {
        manual.task->set_phase(TaskPhase::queued);
        manual.task->set_phase(TaskPhase::running);
        manual.task->set_phase(TaskPhase::running);
        clock_.advance(1s);
    }

    EXPECT_EQ(manual.task->status().attempts, 3);
    EXPECT_EQ(manual.task->status().started_at, begin);
    manual.finish();
}

TEST_F(TaskTest, OnlyFinishFinishes) {
    const ManualTask manual = run();

    manual.task->set_phase(TaskPhase::finished);

    EXPECT_FALSE(manual.task->is_finished());
    EXPECT_EQ(manual.task->status().phase, TaskPhase::queued);
    manual.finish();
    manual.task->set_phase(TaskPhase::running);
    EXPECT_EQ(manual.task->status().phase, TaskPhase::finished);
}

TEST_F(TaskTest, StalledKeepsWhenItBegan) {
    const ManualTask manual = run();
    const WallTime begin = clock_.wall();

    manual.task->set_stalled(true);
    clock_.advance(5s);
    manual.task->set_stalled(true);
    EXPECT_EQ(manual.task->status().stalled_since, begin);
    manual.task->set_stalled(false);
    EXPECT_EQ(manual.task->status().stalled_since, std::nullopt);

    manual.task->set_stalled(true);
    manual.finish();
    EXPECT_EQ(manual.task->status().stalled_since, std::nullopt);
}

TEST(TaskPhaseText, IsTheNameOfThePhase) {
    EXPECT_EQ(to_string(TaskPhase::queued), "queued");
    EXPECT_EQ(to_string(TaskPhase::running), "running");
    EXPECT_EQ(to_string(TaskPhase::finished), "finished");
}

// Clocks

TEST_F(TaskTest, AStepOfTheWallClockDoesNotChangeTheDuration) {
    const ManualTask manual = run();
    clock_.advance(10s);
    clock_.step_wall(-1h);
    manual.finish();

    EXPECT_EQ(manual.task->finished_json().at("duration"), 10.0);
    EXPECT_EQ(manual.task->finished_json().at("begin_time"), "2026-11-25T01:31:34.380289Z");
    EXPECT_EQ(manual.task->finished_json().at("end_time"), "2026-11-25T00:31:44.380289Z");
}

TEST_F(TaskTest, ARecoveredTaskGoesOnCounting) {
    RunOptions options;
    options.begin_time = clock_.wall() - 10s;
    const ManualTask manual = run(std::move(options));
    clock_.advance(1s);

    EXPECT_EQ(manual.task->status().duration_s, 11);
    manual.finish();
}

TEST_F(TaskTest, ARecoveredTaskThatBeganInTheFutureCountsFromNow) {
    RunOptions options;
    options.begin_time = clock_.wall() + 10s;
    const ManualTask manual = run(std::move(options));
    clock_.advance(1s);

    EXPECT_EQ(manual.task->status().duration_s, 1);
    manual.finish();
}

TEST_F(TaskTest, TimesAreUtcWhateverTheTimeZone) {
    setenv("TZ", "Asia/Kolkata", 1);
    tzset();
    const ManualTask manual = run();
    manual.finish();

    EXPECT_EQ(manual.task->executing_json().at("begin_time"), "2026-11-25T01:31:34.380289Z");
    EXPECT_EQ(manual.task->finished_json().at("end_time"), "2026-11-25T01:31:34.380289Z");
    unsetenv("TZ");
    tzset();
}

TEST_F(TaskTest, AFinishedTaskIsTheSameAsJsonAndAsText) {
    for (const std::size_t size : {std::size_t{1}, std::size_t{100'000}}) {
        const auto task = manager_.run("test/text", {{"size", size}}, [=] { return std::string(size, 'x'); });
        task->wait();
        for (int time = 0; time < 2; ++time) EXPECT_EQ(json::parse(*task->finished_text()), task->finished_json());
    }
}

TEST_F(TaskTest, TheTextOfAFinishedTaskIsUtf8WhateverItReturned) {
    const auto task = manager_.run("test/text", {}, [] { return "a\xff"; });
    task->wait();

    EXPECT_EQ(json::parse(*task->finished_text())["ret_value"], "a\uFFFD");
}

}  // namespace
}  // namespace taskd
