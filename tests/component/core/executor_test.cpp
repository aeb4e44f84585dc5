#include "support/blocker.hpp"
#include "support/manual_executor.hpp"

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
using test::Blocker;

RunOptions with(std::unique_ptr<TaskExecutor> executor) {
    RunOptions options;
    options.executor = std::move(executor);
    return options;
}
RunOptions inline_run() {
    return with(std::make_unique<TaskExecutor>());
}

class ExecutorTest : public testing::Test {
  protected:
    TaskManager manager_{{.sweep_interval = 0ms, .threads = 2}};
};

// The inline one

TEST_F(ExecutorTest, TheBaseClassRunsTheFunctionInTheCallingThread) {
    std::thread::id ran_in;

    const auto task = manager_.run(
        "a", nullptr, [&] { ran_in = std::this_thread::get_id(); }, inline_run());

    EXPECT_EQ(ran_in, std::this_thread::get_id());
    EXPECT_TRUE(task->is_finished());
    EXPECT_EQ(task->wait().value, nullptr);
}

TEST_F(ExecutorTest, AnInlineFailureIsTheTasksNotTheCallers) {
    const auto task = manager_.run(
        "a", nullptr, [] { throw std::runtime_error("boom"); }, inline_run());

    EXPECT_THROW(task->wait(), std::runtime_error);
}

// The threaded one

TEST_F(ExecutorTest, TheDefaultRunsTheFunctionInAnotherThread) {
    const json value =
        manager_
            .run("a", nullptr, [caller = std::this_thread::get_id()] { return std::this_thread::get_id() != caller; })
            ->wait()
            .value;

    EXPECT_EQ(value, true);
}

TEST_F(ExecutorTest, AFullPoolFailsTheTask) {
    Blocker blocker;
    TaskManager narrow({.sweep_interval = 0ms, .threads = 1, .capacity = 1});
    const auto running = narrow.run("a", {{"n", 1}}, [&] { blocker.block(); });
    blocker.wait_until_blocked();
    const auto waiting = narrow.run("a", {{"n", 2}}, [] {});

    const auto refused = narrow.run("a", {{"n", 3}}, [] {});

    EXPECT_THROW(refused->wait(), QueueFull);
    EXPECT_EQ(narrow.executing_count(), 2U);
    blocker.release();
    EXPECT_NO_THROW(waiting->wait());
}

TEST_F(ExecutorTest, WhatTheFunctionHoldsGoesBeforeItsEndIsTold) {
    const auto held = std::make_shared<int>(0);
    const std::weak_ptr<int> watched = held;

    const auto task = manager_.run("a", nullptr, [held = held] {});
    const auto failed = manager_.run("b", nullptr, [held = held] { throw std::runtime_error("boom"); });
    EXPECT_THROW(failed->wait(), std::runtime_error);
    task->wait();

    EXPECT_EQ(watched.use_count(), 1);
}

TEST_F(ExecutorTest, MoveOnlyFunctionsAndArgumentsAreTaken) {
    const auto task = manager_.run(
        "a", nullptr, [seven = std::make_unique<int>(7)](const std::unique_ptr<int>& eight) { return *seven + *eight; },
        {}, std::make_unique<int>(8));

    EXPECT_EQ(task->wait().value, 15);
}

// current_task

TEST_F(ExecutorTest, CurrentTaskIsTheTaskWhoseFunctionRuns) {
    const json id = manager_.run("a", nullptr, [] { return TaskManager::current_task()->id(); })->wait().value;

    EXPECT_EQ(id.get<std::string>().size(), 26U);
    EXPECT_THROW(TaskManager::current_task(), std::logic_error);
}

TEST_F(ExecutorTest, CurrentTaskNests) {
    const auto outer = manager_.run("outer", nullptr, [&] {
        const auto before = current_task();
        manager_.run(
            "inner", nullptr, [] { throw std::runtime_error(current_task()->name()); }, inline_run());
        return json{before == current_task(), current_task()->name()};
    });

    EXPECT_EQ(outer->wait().value, (json{true, "outer"}));
    EXPECT_EQ(manager_.list("inner").finished.at(0)->exception_json(), (json{{"detail", "inner"}}));
}

TEST_F(ExecutorTest, CurrentTaskEndsWithTheFunctionEvenWhenItThrows) {
    manager_.run(
        "a", nullptr, [] { throw std::runtime_error("boom"); }, inline_run());

    EXPECT_THROW(current_task(), std::logic_error);
}

// Executors of the user's

struct ThrowsInInit : TaskExecutor {
    void init(std::shared_ptr<Task>) override { throw std::runtime_error("no init"); }
};
struct ThrowsInStart : TaskExecutor {
    void start() override { throw std::runtime_error("no start"); }
};
struct ThrowsAnIntInStart : TaskExecutor {
    void start() override { throw 5; }
};
struct FinishesThenThrows : TaskExecutor {
    void start() override {
        finish("fine");
        throw std::runtime_error("too late");
    }
};
struct FinishesInInit : TaskExecutor {
    void init(std::shared_ptr<Task>) override { finish(nullptr, std::make_exception_ptr(std::runtime_error("no"))); }
    void start() override {}
};

TEST_F(ExecutorTest, AThrowOutOfInitFailsTheTask) {
    const auto task = manager_.run(
        "a", nullptr, [] {}, with(std::make_unique<ThrowsInInit>()));

    EXPECT_EQ(task->exception_json(), (json{{"detail", "no init"}}));
    EXPECT_EQ(manager_.executing_count(), 0U);
}

TEST_F(ExecutorTest, AThrowOutOfStartFailsTheTask) {
    const auto task = manager_.run(
        "a", nullptr, [] {}, with(std::make_unique<ThrowsInStart>()));

    EXPECT_EQ(task->exception_json(), (json{{"detail", "no start"}}));
    EXPECT_EQ(manager_.executing_count(), 0U);
}

TEST_F(ExecutorTest, AThrowThatIsNoStdExceptionFailsTheTaskToo) {
    const auto task = manager_.run(
        "a", nullptr, [] {}, with(std::make_unique<ThrowsAnIntInStart>()));

    EXPECT_THROW(task->wait(), int);
    EXPECT_EQ(task->exception_json(), (json{{"detail", "unknown exception"}}));
}

TEST_F(ExecutorTest, AThrowAfterFinishIsIgnored) {
    const auto task = manager_.run(
        "a", nullptr, [] {}, with(std::make_unique<FinishesThenThrows>()));

    EXPECT_EQ(task->wait().value, "fine");
}

TEST_F(ExecutorTest, InitMayFinish) {
    const auto task = manager_.run(
        "a", nullptr, [] {}, with(std::make_unique<FinishesInInit>()));

    EXPECT_THROW(task->wait(), std::runtime_error);
}

/// Cancels its task from init, as another thread may do at any time once the task can be found.
class CancelledEarly : public TaskExecutor {
  public:
    explicit CancelledEarly(TaskManager& manager) : manager_(manager) {}
    void init(std::shared_ptr<Task> task) override { manager_.find(task->name(), task->metadata())->cancel(); }
    void start() override {}
    void cancel(bool) override { finish(nullptr, std::make_exception_ptr(std::runtime_error(task()->name()))); }

  private:
    TaskManager& manager_;
};

TEST_F(ExecutorTest, CancelMayComeBeforeInit) {
    const auto task = manager_.run(
        "a", nullptr, [] {}, with(std::make_unique<CancelledEarly>(manager_)));

    EXPECT_EQ(task->exception_json(), (json{{"detail", "a"}}));
}

TEST_F(ExecutorTest, CancelDoesNothingToAFunctionThatCannotStop) {
    Blocker blocker;
    const auto task = manager_.run("a", nullptr, [&] { blocker.block(); });
    blocker.wait_until_blocked();

    task->cancel(true);

    EXPECT_FALSE(task->is_finished());
    blocker.release();
    task->wait();
}

/// Runs the function but ends the task with a value of its own.
struct AddsOne : TaskExecutor {
    void start() override { finish(run_function().get<int>() + 1); }
};

TEST_F(ExecutorTest, AnExecutorMayUseTheFunctionsValue) {
    const auto task = manager_.run(
        "a", nullptr, [] { return 41; }, with(std::make_unique<AddsOne>()));

    EXPECT_EQ(task->wait().value, 42);
}

}  // namespace
}  // namespace taskd
