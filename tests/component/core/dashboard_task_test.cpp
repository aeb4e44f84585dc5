// The cases of the Ceph dashboard's own tests/test_task.py (16.2.15), one by one and under their names. Where the
// original sleeps, these hold the function at a point and let it go on.

#include "support/blocker.hpp"
#include "support/collected.hpp"
#include "support/manual_clock.hpp"

#include <stdexcept>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <taskd/task_manager.hpp>

namespace taskd {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using test::Blocker;

constexpr const char* failure_text = "Task Unexpected Exception";
const json arguments = {"dummy arg", json{{"kwarg", 1}}};

struct Plan {
    int progress = 50;
    bool fails = false;
};

/// What the test's functions do: set the progress, stay until released, then fail or return their arguments.
json operation(Blocker& blocker, Plan plan) {
    TaskManager::current_task()->set_progress(plan.progress);
    blocker.block();
    if (plan.fails) throw std::runtime_error(failure_text);
    return arguments;
}

/// Its function starts something and returns; the task ends when the callback is called.
class CallbackExecutor final : public TaskExecutor {
  public:
    void start() override { run_function(); }
};

class DashboardTask : public testing::Test {
  protected:
    std::shared_ptr<Task> run(const std::string& name, Blocker& blocker, Plan plan = {}, RunOptions options = {}) {
        return manager_.run(name, json{{"test", name}}, operation, std::move(options), std::ref(blocker), plan);
    }

    std::shared_ptr<Task> run_async(const std::string& name, Blocker& blocker, Plan plan = {}) {
        auto executor = std::make_unique<CallbackExecutor>();
        auto& callback = *executor;
        RunOptions options;
        options.executor = std::move(executor);
        return manager_.run(
            name, json{{"test", name}},
            [&, plan] {
                TaskManager::current_task()->set_progress(plan.progress);
                background_ = std::jthread([&, plan] {
                    blocker.block();
                    callback.finish(arguments,
                                    plan.fails ? std::make_exception_ptr(std::runtime_error(failure_text)) : nullptr);
                });
            },
            std::move(options));
    }

    void expect_success(const Task& task) {
        const json finished = manager_.list_json("test*/*").at("finished_tasks");
        ASSERT_EQ(finished.size(), 1U);
        EXPECT_EQ(finished[0].at("exception"), nullptr);
        EXPECT_EQ(finished[0].at("ret_value"), arguments);
        EXPECT_EQ(finished[0].at("progress"), 100);
        EXPECT_EQ(task.ret_value(), arguments);
    }
    void expect_failure(const Task& task, int progress) {
        const json finished = manager_.list_json("test*/*").at("finished_tasks");
        ASSERT_EQ(finished.size(), 1U);
        EXPECT_EQ(finished[0].at("exception"), (json{{"detail", failure_text}}));
        EXPECT_EQ(finished[0].at("ret_value"), nullptr);
        EXPECT_EQ(finished[0].at("progress"), progress);
        EXPECT_EQ(error_text_of(task), failure_text);
    }
    static std::string error_text_of(const Task& task) {
        try {
            task.wait();
        } catch (const std::runtime_error& error) {
            return error.what();
        }
        return "";
    }

    json executing() { return manager_.list_json("test*/*").at("executing_tasks"); }
    std::vector<std::string> finished_names() {
        std::vector<std::string> names;
        for (const auto& task : manager_.list("test*/*").finished) names.push_back(task->name());
        return names;
    }

    test::ManualClock clock_;
    TaskManager manager_{
        {.retention = {.ttl = 60s, .keep = 10}, .sweep_interval = 0ms, .threads = 4, .clock = &clock_}};
    std::jthread background_;
};

TEST_F(DashboardTask, FastTask) {
    Blocker blocker;
    blocker.release();

    const auto task = run("test1/task1", blocker);
    const WaitResult result = task->wait();

    EXPECT_EQ(result.state, VALUE_DONE);
    EXPECT_EQ(result.value, arguments);
    expect_success(*task);
}

TEST_F(DashboardTask, SlowTask) {
    Blocker blocker;

    const auto task = run("test2/task1", blocker);
    const WaitResult result = task->wait(1ms);

    EXPECT_EQ(result.state, VALUE_EXECUTING);
    EXPECT_EQ(result.value, nullptr);
    blocker.release();
    task->wait();
    expect_success(*task);
}

TEST_F(DashboardTask, FastTaskWithFailure) {
    Blocker blocker;
    blocker.release();

    const auto task = run("test3/task1", blocker, {.progress = 40, .fails = true});

    EXPECT_EQ(error_text_of(*task), failure_text);
    expect_failure(*task, 40);
}

TEST_F(DashboardTask, SlowTaskWithFailure) {
    Blocker blocker;

    const auto task = run("test4/task1", blocker, {.progress = 70, .fails = true});
    const WaitResult result = task->wait(1ms);

    EXPECT_EQ(result.state, VALUE_EXECUTING);
    EXPECT_EQ(result.value, nullptr);
    blocker.release();
    EXPECT_EQ(error_text_of(*task), failure_text);
    expect_failure(*task, 70);
}

TEST_F(DashboardTask, ExecutingTasksList) {
    Blocker first_blocker;
    Blocker second_blocker;

    const auto first = run("test5/task1", first_blocker, {.progress = 30});
    first_blocker.wait_until_blocked();
    ASSERT_EQ(executing().size(), 1U);
    EXPECT_EQ(executing()[0].at("progress"), 30);

    clock_.advance(1s);
    const auto second = run("test5/task2", second_blocker, {.progress = 60});
    second_blocker.wait_until_blocked();
    ASSERT_EQ(executing().size(), 2U);
    EXPECT_EQ(executing()[0].at("progress"), 60);
    EXPECT_EQ(executing()[1].at("progress"), 30);

    second_blocker.release();
    second->wait();
    ASSERT_EQ(executing().size(), 1U);
    EXPECT_EQ(executing()[0].at("name"), "test5/task1");
    first_blocker.release();
    first->wait();
    EXPECT_EQ(executing().size(), 0U);
}

TEST_F(DashboardTask, TaskIdempotent) {
    Blocker blocker;
    Blocker never_reached;

    const auto first = run("test6/task1", blocker);
    blocker.wait_until_blocked();
    const auto second = run("test6/task1", never_reached);

    EXPECT_EQ(second, first);
    EXPECT_EQ(second->wait(0ms).state, VALUE_EXECUTING);
    EXPECT_EQ(executing().size(), 1U);
    blocker.release();
    first->wait();
    EXPECT_EQ(executing().size(), 0U);
    EXPECT_EQ(finished_names().size(), 1U);
}

TEST_F(DashboardTask, TaskSerializationFormat) {
    Blocker blocked;
    Blocker released;
    released.release();

    const auto first = run("test8/task1", blocked, {.progress = 20});
    blocked.wait_until_blocked();
    const auto second = run("test8/task2", released);
    second->wait();

    const json list = manager_.list_json("test8/*");
    EXPECT_EQ(list.at("executing_tasks"), json::array({{{"name", "test8/task1"},
                                                        {"metadata", {{"test", "test8/task1"}}},
                                                        {"begin_time", "2026-11-25T01:31:34.380289Z"},
                                                        {"progress", 20}}}));
    EXPECT_EQ(list.at("finished_tasks"), json::array({{{"name", "test8/task2"},
                                                       {"metadata", {{"test", "test8/task2"}}},
                                                       {"begin_time", "2026-11-25T01:31:34.380289Z"},
                                                       {"end_time", "2026-11-25T01:31:34.380289Z"},
                                                       {"duration", 0.0},
                                                       {"progress", 100},
                                                       {"success", true},
                                                       {"ret_value", arguments},
                                                       {"exception", nullptr}}}));
    EXPECT_EQ(json::parse(list.dump()), list);
    blocked.release();
    first->wait();
}

TEST_F(DashboardTask, FastAsyncTask) {
    Blocker blocker;
    blocker.release();

    const auto task = run_async("test9/task1", blocker);
    const WaitResult result = task->wait();

    EXPECT_EQ(result.state, VALUE_DONE);
    EXPECT_EQ(result.value, arguments);
    expect_success(*task);
}

TEST_F(DashboardTask, SlowAsyncTask) {
    Blocker blocker;

    const auto task = run_async("test10/task1", blocker);

    EXPECT_EQ(task->wait(1ms).state, VALUE_EXECUTING);
    EXPECT_EQ(executing().size(), 1U);
    blocker.release();
    task->wait();
    expect_success(*task);
}

TEST_F(DashboardTask, FastAsyncTaskWithFailure) {
    Blocker blocker;
    blocker.release();

    const auto task = run_async("test11/task1", blocker, {.progress = 40, .fails = true});

    EXPECT_EQ(error_text_of(*task), failure_text);
    expect_failure(*task, 40);
}

TEST_F(DashboardTask, SlowAsyncTaskWithFailure) {
    Blocker blocker;

    const auto task = run_async("test12/task1", blocker, {.progress = 70, .fails = true});

    EXPECT_EQ(task->wait(1ms).state, VALUE_EXECUTING);
    blocker.release();
    EXPECT_EQ(error_text_of(*task), failure_text);
    expect_failure(*task, 70);
}

TEST_F(DashboardTask, FastAsyncTaskWithPrematureFailure) {
    RunOptions options;
    options.executor = std::make_unique<CallbackExecutor>();

    const auto task = manager_.run(
        "test13/task1", json::object(), []() -> json { throw std::runtime_error(failure_text); }, std::move(options));

    EXPECT_EQ(error_text_of(*task), failure_text);
    expect_failure(*task, 0);
}

TEST_F(DashboardTask, TaskSerializationFormatOnFailure) {
    Blocker blocker;

    const auto task = run("test14/task1", blocker, {.fails = true});
    blocker.wait_until_blocked();
    clock_.advance(1s);
    blocker.release();
    error_text_of(*task);

    const json list = manager_.list_json("test14/*");
    EXPECT_EQ(list.at("executing_tasks"), json::array());
    EXPECT_EQ(list.at("finished_tasks"), json::array({{{"name", "test14/task1"},
                                                       {"metadata", {{"test", "test14/task1"}}},
                                                       {"begin_time", "2026-11-25T01:31:34.380289Z"},
                                                       {"end_time", "2026-11-25T01:31:35.380289Z"},
                                                       {"duration", 1.0},
                                                       {"progress", 50},
                                                       {"success", false},
                                                       {"ret_value", nullptr},
                                                       {"exception", {{"detail", failure_text}}}}}));
}

TEST_F(DashboardTask, TaskSerializationFormatOnFailureWithHandler) {
    Blocker blocker;
    blocker.release();
    RunOptions options;
    options.exception_handler = [](const std::exception_ptr& error, const Task& task) -> json {
        try {
            std::rethrow_exception(error);
        } catch (const std::exception& known) {
            return {{"component", nullptr},
                    {"detail", known.what()},
                    {"status", 500},
                    {"task", {{"name", task.name()}, {"metadata", task.metadata()}}}};
        }
    };

    const auto task = run("test15/task1", blocker, {.fails = true}, std::move(options));
    error_text_of(*task);

    const json finished = manager_.list_json("test15/*").at("finished_tasks");
    ASSERT_EQ(finished.size(), 1U);
    EXPECT_EQ(finished[0].at("exception"),
              (json{{"component", nullptr},
                    {"detail", failure_text},
                    {"status", 500},
                    {"task", {{"name", "test15/task1"}, {"metadata", {{"test", "test15/task1"}}}}}}));
    EXPECT_EQ(finished[0].at("ret_value"), nullptr);
    EXPECT_EQ(finished[0].at("success"), false);
    EXPECT_EQ(finished[0].at("progress"), 50);
}

class DashboardCleanup : public testing::Test {
  protected:
    void run(const std::string& name) {
        manager_.run(name, json::object(), [] {})->wait();
        clock_.advance(1s);
    }
    std::vector<std::string> finished_names() {
        std::vector<std::string> names;
        for (const auto& task : manager_.list("test7/*").finished) names.push_back(task->name());
        return names;
    }

    test::ManualClock clock_;
    TaskManager manager_{
        {.retention = {.ttl = 500ms, .keep = 2}, .sweep_interval = 0ms, .threads = 1, .clock = &clock_}};
};

TEST_F(DashboardCleanup, FinishedCleanup) {
    using testing::ElementsAre;
    run("test7/task1");
    run("test7/task2");
    EXPECT_THAT(finished_names(), ElementsAre("test7/task2", "test7/task1")) << "the newest two stay";
    EXPECT_THAT(finished_names(), ElementsAre("test7/task2", "test7/task1"));

    run("test7/task3");

    EXPECT_THAT(finished_names(), ElementsAre("test7/task3", "test7/task2", "test7/task1"))
        << "cleaned after the answer";
    EXPECT_THAT(finished_names(), ElementsAre("test7/task3", "test7/task2"));
}

}  // namespace
}  // namespace taskd
