#include "api_server.hpp"

#include <future>

namespace taskd::api {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class CommandRoutesTest : public ApiTest {
  protected:
    /// What was sent once there was something.
    CommandPort::Request sent() {
        while (commands.requests().empty()) std::this_thread::yield();
        return commands.requests().front();
    }
    std::future<Answer> post_command(json body) {
        return std::async(std::launch::async, [this, body = std::move(body)] { return post("/api/command", body); });
    }
};

TEST_F(CommandRoutesTest, ACommandIsATaskWithTheDaemonsAnswer) {
    auto answer = post_command({{"command", {{"prefix", "osd pool ls"}}}});
    const auto request = sent();

    commands.answer(test::good_answer(request.tag, "rbd"));

    EXPECT_EQ(request.target, "mon");
    EXPECT_EQ(request.command, json({{"prefix", "osd pool ls"}}));
    const auto got = answer.get();
    EXPECT_EQ(got.status, 200);
    EXPECT_EQ(got.body, json({{"return_code", 0}, {"status", ""}, {"output", "rbd"}, {"output_format", "text"}}));
    const auto task = tasks.find_by_id(got.task_id);
    EXPECT_EQ(task->name(), "command");
    EXPECT_EQ(task->metadata(),
              json({{"target", "mon"}, {"command", {{"prefix", "osd pool ls"}}}, {"tag", request.tag}}));
}

TEST_F(CommandRoutesTest, AnotherDaemonMayBeMeantAndInputGiven) {
    post_async("/api/command", {{"command", {{"prefix", "config set"}}}, {"target", "osd.3"}, {"input", "data"}});

    EXPECT_EQ(sent().target, "osd.3");
    EXPECT_EQ(sent().input, "data");
}

TEST_F(CommandRoutesTest, ARefusalOfTheDaemonIsAFailedTaskWithAllItSaid) {
    auto answer = post_command({{"command", {{"prefix", "osd pool ls"}}}});

    commands.answer({{"tag", sent().tag},
                     {"return_code", -22},
                     {"status", "invalid"},
                     {"output", "more"},
                     {"output_format", "text"}});

    const auto got = answer.get();
    EXPECT_EQ(got.status, 400);
    EXPECT_EQ(got.body["code"], "22");
    EXPECT_EQ(got.body["component"], "mon");
    EXPECT_EQ(got.body["output"], "more");
    EXPECT_EQ(got.body["return_code"], -22);
    EXPECT_EQ(got.body["task"]["name"], "command");
}

TEST_F(CommandRoutesTest, EqualCommandsAreNotJoined) {
    const auto first = post_async("/api/command", {{"command", {{"prefix", "osd pool ls"}}}});
    const auto second = post_async("/api/command", {{"command", {{"prefix", "osd pool ls"}}}});

    EXPECT_EQ(first.status, 202);
    EXPECT_NE(first.task_id, second.task_id);
}

TEST_F(CommandRoutesTest, WhatCouldAbortAMonitorIsRefusedAndNotSent) {
    for (const auto& command :
         {json{{"prefix", 5}}, json{{"prefix", true}}, json{{"prefix", {"status"}}}, json{{"prefix", nullptr}},
          json{{"prefix", ""}}, json{{"prefix", "status"}, {"format", 5}}, json::object(), json(5), json("status"),
          json::array({"status"}), json(nullptr), json{{"prefix", "status"}, {"deep", {{"x", 1}}}}}) {
        const auto answer = post("/api/command", {{"command", command}});
        EXPECT_EQ(answer.status, 400) << command;
    }
    EXPECT_THAT(commands.requests(), IsEmpty());
    EXPECT_EQ(get("/api/task").body["finished_tasks"].size(), 0U);
}

TEST_F(CommandRoutesTest, EitherWordsOrACommandAreGiven) {
    for (const auto& body : {json::object(), json{{"words", {"status"}}, {"command", {{"prefix", "status"}}}},
                             json{{"command", {{"prefix", "status"}}}, {"nonsense", 1}},
                             json{{"command", {{"prefix", "status"}}}, {"target", 5}},
                             json{{"command", {{"prefix", "status"}}}, {"target", "mds"}}})
        EXPECT_EQ(post("/api/command", body).status, 400) << body;
    EXPECT_THAT(commands.requests(), IsEmpty());
}

TEST_F(CommandRoutesTest, WordsAreMadeACommandByTheClustersOwnDescriptions) {
    command_table = std::make_shared<const ceph::CommandTable>(ceph::CommandTable::parse(R"({
        "cmd000": {"sig": ["osd", "pool", "ls",
                           {"name": "detail", "req": "false", "strings": "detail", "type": "CephChoices"}],
                   "help": "list pools", "module": "osd", "perm": "r", "flags": 0}})"));

    post_async("/api/command", {{"words", {"osd", "pool", "ls", "detail"}}});

    EXPECT_EQ(sent().command, json({{"prefix", "osd pool ls"}, {"detail", "detail"}}));
    EXPECT_EQ(post("/api/command", {{"words", {"osd", "nonsense"}}}).status, 400);
    EXPECT_EQ(post("/api/command", {{"words", {"osd", 5}}}).status, 400);
    EXPECT_EQ(post("/api/command", {{"words", "osd pool ls"}}).status, 400);
}

TEST_F(CommandRoutesTest, WordsAreRefusedWhileTheDescriptionsAreNotKnown) {
    const auto answer = post("/api/command", {{"words", {"status"}}});

    EXPECT_EQ(answer.status, 503);
    EXPECT_TRUE(answer.retry_after);
}

TEST_F(CommandRoutesTest, SecretsAreSentButNotListed) {
    post_async("/api/command",
               {{"command", {{"prefix", "config-key set"}, {"key", "mgr/x/password"}, {"val", "hunter2"}}}});

    EXPECT_EQ(sent().command["val"], "hunter2");
    EXPECT_EQ(get("/api/task").body.dump().find("hunter2"), std::string::npos);
}

TEST_F(CommandRoutesTest, AnAnswerThatIsASecretIsForWhoAskedAndNotListed) {
    auto answer = post_command({{"command", {{"prefix", "auth get-key"}, {"entity", "client.a"}}}});
    commands.answer(test::good_answer(sent().tag, "hunter2"));

    const auto got = answer.get();
    EXPECT_EQ(got.body["output"], "hunter2");
    EXPECT_EQ(get("/api/task/" + got.task_id).body["ret_value"]["output"], "hunter2");
    for (const auto* list : {"/api/task", "/api/task?detail=1", "/api/summary"}) {
        const auto listed = get(list).body["finished_tasks"];
        ASSERT_EQ(listed.size(), 1U) << list;
        EXPECT_EQ(listed[0]["ret_value"]["output"], "***") << list;
        EXPECT_EQ(listed[0]["ret_value"]["withheld"], true) << list;
        EXPECT_THAT(listed.dump(), Not(HasSubstr("hunter2"))) << list;
    }
    const auto kept = tasks.find_by_id(got.task_id)->finished_json();  // as journal and history have it
    EXPECT_THAT(kept.dump(), Not(HasSubstr("hunter2")));
}

TEST_F(CommandRoutesTest, AFailureTellsNoSecretOfTheCommand) {
    auto answer = post_command({{"command", {{"prefix", "config set"}, {"name", "a"}, {"value", "hunter2"}}}});
    commands.answer({{"tag", sent().tag},
                     {"return_code", -22},
                     {"status", "error parsing value: 'hunter2' is no number"},
                     {"output", ""},
                     {"output_format", "text"}});

    const auto got = answer.get();
    EXPECT_THAT(got.body["detail"].get<std::string>(), HasSubstr("error parsing value: '***' is no number"));
    EXPECT_THAT(got.body.dump() + get("/api/task").body.dump(), Not(HasSubstr("hunter2")));
}

TEST_F(CommandRoutesTest, APortWithoutRoomFailsTheTaskForNow) {
    commands.refuse_with = std::make_exception_ptr(QueueFull("commands", 10'000));

    const auto answer = post("/api/command", {{"command", {{"prefix", "status"}}}});

    EXPECT_EQ(answer.status, 503);
}

TEST_F(CommandRoutesTest, ABodyThatIsNoJsonIsRefused) {
    EXPECT_EQ(request("POST", "/api/command", "{").status, 400);
    EXPECT_EQ(request("POST", "/api/command", {}, {{"Content-Type", "text/plain"}}).status, 415);
}

}  // namespace
}  // namespace taskd::api
