#include "support/fake_command_port.hpp"

#include <cerrno>

#include <gmock/gmock.h>
#include <taskd/error.hpp>
#include <taskd/task_manager.hpp>

namespace taskd {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using ::testing::HasSubstr;

struct SendCommandExecutorTest : ::testing::Test {
    TaskManager manager{TaskManagerOptions{.sweep_interval = 0ms}};
    test::FakeCommandPort port{manager.notifications()};

    std::shared_ptr<Task> run(const std::string& prefix, const std::string& tag, const std::string& target = "mon") {
        RunOptions options;
        options.executor = std::make_unique<SendCommandExecutor>(port, target, "", tag);
        return manager.run(
            "command", {{"prefix", prefix}, {"tag", tag}},
            [prefix] {
                return json{{"prefix", prefix}};
            },
            std::move(options));
    }

    /// What the task failed with.
    static json failure(const std::shared_ptr<Task>& task) {
        try {
            task->wait();
        } catch (...) {
            return error_to_json(std::current_exception());
        }
        return nullptr;
    }
};

TEST_F(SendCommandExecutorTest, SendsTheCommandThatTheFunctionGives) {
    const auto task = run("osd dump", "t1", "osd.3");

    ASSERT_EQ(port.requests().size(), 1U);
    EXPECT_EQ(port.requests()[0].command, json({{"prefix", "osd dump"}}));
    EXPECT_EQ(port.requests()[0].target, "osd.3");
    EXPECT_EQ(port.requests()[0].tag, "t1");
    port.answer(test::good_answer("t1"));
    task->wait();
}

TEST_F(SendCommandExecutorTest, EndsWithTheNotificationThatHasItsTag) {
    const auto first = run("osd dump", "t1");
    const auto second = run("osd dump", "t2");

    port.answer(test::good_answer("t2", "two"));

    EXPECT_EQ(second->wait().value["output"], "two");
    EXPECT_FALSE(first->is_finished());
    port.answer(test::good_answer("t1", "one"));
    EXPECT_EQ(first->wait().value,
              json({{"return_code", 0}, {"status", ""}, {"output", "one"}, {"output_format", "text"}}));
}

TEST_F(SendCommandExecutorTest, TakesANotificationThatSomebodyElsePosts) {
    const auto task = run("osd dump", "t1");

    manager.notifications().new_notification("command", test::good_answer("t1"));

    EXPECT_NO_THROW(task->wait());
}

TEST_F(SendCommandExecutorTest, MakesAUniqueTagWhereNoneIsGiven) {
    const SendCommandExecutor first(port, "mon");
    const SendCommandExecutor second(port, "mon");

    EXPECT_NE(first.tag(), second.tag());
}

TEST_F(SendCommandExecutorTest, FailsWithWhatTheDaemonSaid) {
    const auto task = run("osd foo", "t1");

    port.answer({{"tag", "t1"},
                 {"return_code", -EINVAL},
                 {"status", "command not known"},
                 {"output", "try help"},
                 {"output_format", "text"}});

    const auto error = failure(task);
    EXPECT_EQ(error["kind"], "refused");
    EXPECT_EQ(error["code"], EINVAL);
    EXPECT_EQ(error["component"], "mon");
    EXPECT_EQ(error["detail"], "[errno 22] command not known (mon command 'osd foo')");
    EXPECT_EQ(error["extra"], json({{"return_code", -EINVAL},
                                    {"status", "command not known"},
                                    {"output", "try help"},
                                    {"output_format", "text"}}));
}

TEST_F(SendCommandExecutorTest, FailsWithTheReasonWhyItWasNotSent) {
    const auto task = run("osd foo", "t1");
    const auto reason = std::make_exception_ptr(BadRequest("prefix", "not known"));

    port.answer({{"tag", "t1"}, {"error", error_to_json(reason)}});

    EXPECT_EQ(failure(task)["detail"], "prefix: not known");
    EXPECT_EQ(failure(task)["kind"], "bad_request");
}

TEST_F(SendCommandExecutorTest, FailsWhenTheCommandIsNotTaken) {
    port.refuse_with = std::make_exception_ptr(QueueFull("queue of commands", 1));

    EXPECT_EQ(failure(run("osd dump", "t1"))["kind"], "unavailable");
    port.refuse_with = nullptr;
    EXPECT_NO_THROW(run("osd dump", "t1")) << "the tag is free again";
    port.answer(test::good_answer("t1"));
}

TEST_F(SendCommandExecutorTest, FailsOnAnUnknownTarget) {
    EXPECT_THAT(failure(run("osd dump", "t1", "mds.a"))["detail"].get<std::string>(),
                HasSubstr("target: expected mon"));
}

TEST_F(SendCommandExecutorTest, FailsOnATagThatIsUnderWay) {
    const auto first = run("osd dump", "t1");

    EXPECT_EQ(failure(run("osd tree", "t1"))["kind"], "conflict");
    port.answer(test::good_answer("t1"));
    EXPECT_NO_THROW(first->wait());
}

TEST_F(SendCommandExecutorTest, IgnoresASecondAnswer) {
    const auto task = run("osd dump", "t1");

    port.answer(test::good_answer("t1", "first"));
    port.answer(test::good_answer("t1", "second"));
    manager.notifications().stop();

    EXPECT_EQ(task->wait().value["output"], "first");
}

TEST_F(SendCommandExecutorTest, DeregistersAfterTheLastAnswer) {
    EXPECT_FALSE(manager.notifications().has_listener("command"));
    const auto task = run("osd dump", "t1");
    EXPECT_TRUE(manager.notifications().has_listener("command"));

    port.answer(test::good_answer("t1"));
    task->wait();

    EXPECT_FALSE(manager.notifications().has_listener("command"));
}

TEST_F(SendCommandExecutorTest, IgnoresNotificationsOfAForeignForm) {
    const auto task = run("osd dump", "t1");

    for (const auto& value : {json(nullptr), json("t1"), json::object(), json({{"tag", 5}})})
        manager.notifications().new_notification("command", value);
    manager.notifications().new_notification("command", {{"tag", "t1"}, {"return_code", "zero"}});

    EXPECT_NE(failure(task), nullptr);
}

TEST_F(SendCommandExecutorTest, TakesBackACommandThatWaits) {
    port.queued = true;
    const auto task = run("osd dump", "t1");

    task->cancel();

    EXPECT_EQ(failure(task)["code"], ECANCELED);
}

TEST_F(SendCommandExecutorTest, LeavesACommandThatWasSentAlone) {
    const auto task = run("osd dump", "t1");

    task->cancel();
    EXPECT_FALSE(task->is_finished());
    port.answer(test::good_answer("t1"));

    EXPECT_NO_THROW(task->wait());
}

TEST_F(SendCommandExecutorTest, EndsByForceThoughTheCommandWasSent) {
    const auto task = run("osd dump", "t1");

    task->cancel(true);
    port.answer(test::good_answer("t1"));

    EXPECT_EQ(failure(task)["kind"], "cancelled");
    EXPECT_THAT(failure(task)["detail"].get<std::string>(), HasSubstr("may still take effect"));
}

TEST_F(SendCommandExecutorTest, HandlesThousandsAtOnce) {
    constexpr int many = 5000;
    std::vector<std::shared_ptr<Task>> tasks;
    for (int n = 0; n < many; ++n) tasks.push_back(run("osd dump", "t" + std::to_string(n)));

    for (int n = many; n-- > 0;) port.answer(test::good_answer("t" + std::to_string(n), n));

    for (int n = 0; n < many; ++n) EXPECT_EQ(tasks[static_cast<std::size_t>(n)]->wait().value["output"], n);
}

TEST(CommandAnswers, DeliverInPersonWhenTheQueueIsFull) {
    NotificationQueue full(1);  // never started, so that it stays full
    full.new_notification("other", nullptr);
    CommandAnswers answers(full);
    json got;
    answers.expect("t1", [&](const json& value) { got = value; });

    answers.post(test::good_answer("t1", "here"));

    EXPECT_EQ(got["output"], "here");
}

TEST(CommandAnswers, ForgetWhatNobodyAwaitsAnyMore) {
    NotificationQueue queue;
    CommandAnswers answers(queue);
    bool called = false;
    answers.expect("t1", [&](const json&) { called = true; });

    EXPECT_TRUE(answers.forget("t1"));
    EXPECT_FALSE(answers.forget("t1"));
    queue.start();
    answers.post(test::good_answer("t1"));
    queue.stop();

    EXPECT_FALSE(called);
}

}  // namespace
}  // namespace taskd
