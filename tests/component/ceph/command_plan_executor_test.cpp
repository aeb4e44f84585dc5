#include "ceph/command_plan_executor.hpp"

#include "support/fake_command_port.hpp"

#include <gmock/gmock.h>
#include <taskd/error.hpp>
#include <taskd/task_manager.hpp>

namespace taskd::ceph {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using ::testing::HasSubstr;

struct CommandPlanExecutorTest : ::testing::Test {
    TaskManager manager{TaskManagerOptions{.sweep_interval = 0ms}};
    test::FakeCommandPort port{manager.notifications()};

    std::shared_ptr<Task> run(CommandPlan plan) {
        RunOptions options;
        options.executor = std::make_unique<CommandPlanExecutor>(port, std::move(plan));
        return manager.run(
            "pool/edit", json::object(), [] {}, std::move(options));
    }
    static CommandPlan two_commands() { return {{{{"prefix", "one"}}, {{"prefix", "two"}}}}; }

    /// Waits for that many commands to have been sent, for answers arrive on the thread of the notifications.
    std::vector<CommandPort::Request> sent(std::size_t count) {
        while (port.requests().size() < count) std::this_thread::yield();
        return port.requests();
    }
    void answer_last(std::size_t count, const std::string& output = "") {
        port.answer(test::good_answer(sent(count).back().tag, output));
    }
    void refuse_last(std::size_t count) {
        json answer = test::good_answer(sent(count).back().tag);
        answer["return_code"] = -22;
        answer["status"] = "no such thing";
        port.answer(std::move(answer));
    }
    static json failure(const std::shared_ptr<Task>& task) {
        try {
            task->wait();
        } catch (...) {
            return error_to_json(std::current_exception());
        }
        return nullptr;
    }
};

TEST_F(CommandPlanExecutorTest, SendsOneCommandAfterTheOther) {
    const auto task = run(two_commands());

    EXPECT_EQ(port.requests().size(), 1U);
    answer_last(1);
    EXPECT_EQ(sent(2)[1].command, json({{"prefix", "two"}}));
    EXPECT_EQ(task->progress(), 50);
    answer_last(2);
    EXPECT_EQ(task->wait().value, nullptr);
}

TEST_F(CommandPlanExecutorTest, AsksWhatElseIsToBeDoneOnceTheAnswerIsThere) {
    std::string seen;
    CommandPlan plan{{{{"prefix", "look"}}}, [&](const json& answer) {
                         seen = answer["output"];
                         return std::vector<json>{{{"prefix", "act"}}};
                     }};
    const auto task = run(std::move(plan));

    answer_last(1, "found");
    answer_last(2);

    task->wait();
    EXPECT_EQ(seen, "found");
    EXPECT_EQ(port.requests()[1].command["prefix"], "act");
}

TEST_F(CommandPlanExecutorTest, EndsWithTheFirstFailureAndTellsWhatWasDone) {
    const auto task = run(two_commands());

    answer_last(1);
    refuse_last(2);

    const json error = failure(task);
    EXPECT_EQ(error["code"], 22) << error;
    EXPECT_THAT(error["detail"], HasSubstr("no such thing"));
    EXPECT_EQ(error["extra"]["done"], json::array({"one"}));
}

TEST_F(CommandPlanExecutorTest, WhatIsFoundWrongWhileItRunsEndsIt) {
    CommandPlan plan{{{{"prefix", "look"}}}, [](const json&) -> std::vector<json> {
                         throw Error(ErrorKind::not_found, ENOENT, "pool", "no such pool");
                     }};
    const auto task = run(std::move(plan));

    answer_last(1);

    EXPECT_EQ(failure(task)["detail"], "no such pool");
}

TEST_F(CommandPlanExecutorTest, CancelledItStopsBetweenTwoCommands) {
    const auto task = run(two_commands());

    task->cancel();
    EXPECT_FALSE(task->is_finished());
    answer_last(1);

    const json error = failure(task);
    EXPECT_EQ(error["kind"], "cancelled");
    EXPECT_EQ(error["extra"]["done"], json::array({"one"}));
    EXPECT_EQ(port.requests().size(), 1U);
}

TEST_F(CommandPlanExecutorTest, CancelledByForceItEndsAtOnce) {
    const auto task = run(two_commands());

    task->cancel(true);

    EXPECT_THAT(failure(task)["detail"], HasSubstr("may still take effect"));
}

TEST_F(CommandPlanExecutorTest, APlanWithoutCommandsIsDone) {
    EXPECT_EQ(run({})->wait().value, nullptr);
}

}  // namespace
}  // namespace taskd::ceph
