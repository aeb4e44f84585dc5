#include "ceph/command_port.hpp"

#include "support/fake_command_caller.hpp"

#include <gtest/gtest.h>
#include <taskd/task_manager.hpp>

namespace taskd::ceph {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

struct CommandPortTest : ::testing::Test {
    TaskManager manager{TaskManagerOptions{.sweep_interval = 0ms}};
    CommandSender sender{std::make_shared<test::FakeCommandCaller>([](const CommandTarget&, const json& command) {
        if (command["prefix"] == "throw") throw BadRequest("prefix", "not known");
        return CommandResult{0, "", std::string(100, 'x')};
    })};
    SenderCommandPort port{sender, manager.notifications(), 10};

    std::shared_ptr<Task> run(const json& command) {
        RunOptions options;
        options.executor = std::make_unique<SendCommandExecutor>(port, "mon");
        return manager.run(
            "command", {{"command", command}}, [command] { return command; }, std::move(options));
    }
};

TEST_F(CommandPortTest, PostsTheAnswerCut) {
    const auto value = run({{"prefix", "osd dump"}})->wait().value;

    EXPECT_EQ(value["output"], "xxxxxxxxxx");
    EXPECT_EQ(value["truncated"], true);
    EXPECT_EQ(value["output_size"], 100);
}

TEST_F(CommandPortTest, PostsTheReasonWhenNothingWasSent) {
    EXPECT_THROW(run({{"prefix", "throw"}})->wait(), Error);
}

TEST_F(CommandPortTest, RefusesAMalformedCommandAtOnce) {
    EXPECT_THROW(run({{"prefix", 5}})->wait(), BadRequest);
    EXPECT_THROW(run(json::array())->wait(), BadRequest);
}

TEST_F(CommandPortTest, AnswersWhatStillWaitsAtTheEnd) {
    sender.stop();

    try {
        run({{"prefix", "osd dump"}})->wait();
        FAIL() << "sent";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::unavailable);
    }
}

}  // namespace
}  // namespace taskd::ceph
