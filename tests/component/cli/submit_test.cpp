#include "component/cli/scripted_daemon.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace taskd::cli {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

using Submitting = CliTest;

TEST_F(Submitting, SaysThatATaskIsDone) {
    daemon.on("POST /api/block/image", 201, nullptr, task_x);
    EXPECT_EQ(run({"rbd", "create", "rbd/a", "--size", "10G"}), 0);
    EXPECT_EQ(out(), "rbd create rbd/a: done in 0.0 s\n");
    EXPECT_EQ(err(), "");
    EXPECT_EQ(json::parse(daemon.requests.front().body)["size"], 10ULL << 30);
}

TEST_F(Submitting, SendsTheDashboardsHeaders) {
    daemon.on("POST /api/block/image", 201, nullptr, task_x);
    run({"rbd", "create", "rbd/a", "--size", "10G"});
    EXPECT_EQ(daemon.requests.front().headers,
              (std::map<std::string, std::string>{{"accept", "application/vnd.ceph.api.v1.0+json"},
                                                  {"content-type", "application/json"}}));
}

TEST_F(Submitting, AFailedTaskIsItsDetailAndExitCodeOne) {
    daemon.on("POST /api/block/image", 400,
              {{"detail", "[errno 17] RBD image already exists (error creating image)"},
               {"code", "17"},
               {"component", "rbd"},
               {"status", 400},
               {"task", {{"name", "rbd/create"}, {"metadata", json::object()}}}},
              task_x);
    EXPECT_EQ(run({"rbd", "create", "rbd/a", "--size", "10G"}), 1);
    EXPECT_EQ(out(), "");
    EXPECT_EQ(err(), "ceph-task: [errno 17] RBD image already exists (error creating image)\n");
}

TEST_F(Submitting, ABadRequestIsExitCodeTwo) {
    daemon.on("POST /api/block/image", 400,
              {{"status", "400 Bad Request"}, {"detail", "size: expected a number"}, {"request_id", "u"}});
    EXPECT_EQ(run({"rbd", "create", "rbd/a", "--size", "10G"}), 2);
    EXPECT_EQ(err(), "ceph-task: size: expected a number\n");
}

TEST_F(Submitting, ADaemonThatIsNotThereIsExitCodeFourAtOnce) {
    daemon.down("POST /api/block/image");
    EXPECT_EQ(run({"rbd", "create", "rbd/a", "--size", "10G"}), 4);
    EXPECT_EQ(err(), "ceph-task: no connection\n");
    EXPECT_LT(timer.seconds(), 1);
}

TEST_F(Submitting, ARequestThatMayHaveArrivedIsNotRepeatedAndSaysSo) {
    daemon.down("POST /api/block/image", true);
    EXPECT_EQ(run({"rbd", "create", "rbd/a", "--size", "10G"}), 4);
    EXPECT_THAT(err(), HasSubstr("whether the request was accepted is not known: ceph-task ls"));
}

TEST_F(Submitting, NoWaitPrintsTheIdAndIsDone) {
    daemon.on(delete_a, 202, accepted(), task_x);
    EXPECT_EQ(run({"rbd", "rm", "a", "--no-wait"}), 0);
    EXPECT_EQ(out(), std::string(task_x) + "  rbd rm rbd/a\n");
    EXPECT_EQ(err(), "");
    EXPECT_EQ(daemon.requests.front().headers.at("prefer"), "respond-async");
}

TEST_F(Submitting, NoWaitTellsAFailureThatIsKnownAlready) {
    daemon.on(delete_a, 404, {{"detail", "(404, 'Image not found')"}, {"task", accepted()}}, task_x);
    EXPECT_EQ(run({"rbd", "rm", "a", "--no-wait"}), 1);
    EXPECT_EQ(err(), "ceph-task: (404, 'Image not found')\n");
}

TEST_F(Submitting, NoWaitAsJsonIsTheTask) {
    daemon.on(delete_a, 202, accepted(), task_x);
    EXPECT_EQ(run({"rbd", "rm", "a", "--no-wait", "--format", "json"}), 0);
    EXPECT_EQ(json_out()["id"], task_x);
    EXPECT_EQ(json_out()["name"], "rbd/delete");
}

TEST_F(Submitting, JsonIsTheDaemonsObjectAlsoWhenTheTaskEndedAtOnce) {
    daemon.on(delete_a, 204, nullptr, task_x).on(ask(task_x, 0), 200, succeeded(task_x));
    EXPECT_EQ(run({"rbd", "rm", "a", "--format", "json"}), 0);
    EXPECT_EQ(json_out(), succeeded(task_x));
}

TEST_F(Submitting, JsonOfAFailureIsOnTheOutputAndItsDetailOnTheError) {
    daemon.on(delete_a, 400, {{"detail", "busy"}, {"task", accepted()}}, task_x)
        .on(ask(task_x, 0), 200, failed(task_x, "busy"));
    EXPECT_EQ(run({"rbd", "rm", "a", "--format", "json"}), 1);
    EXPECT_EQ(json_out(), failed(task_x, "busy"));
    EXPECT_EQ(err(), "ceph-task: busy\n");
}

TEST_F(Submitting, JsonIsMadeOfTheAnswerWhenTheDaemonIsGone) {
    daemon.on(delete_a, 400, {{"detail", "busy"}, {"task", accepted()}}, task_x).down(ask(task_x, 0));
    EXPECT_EQ(run({"rbd", "rm", "a", "--format", "json"}), 1);
    EXPECT_EQ(json_out()["id"], task_x);
    EXPECT_EQ(json_out()["success"], false);
    EXPECT_EQ(json_out()["exception"]["detail"], "busy");
}

TEST_F(Submitting, JsonPrintsNothingForARequestThatMadeNoTask) {
    daemon.on("POST /api/block/image", 400, {{"detail", "size: expected a number"}});
    EXPECT_EQ(run({"rbd", "create", "rbd/a", "--size", "10G", "--format", "json"}), 2);
    EXPECT_EQ(out(), "");
}

TEST_F(Submitting, SeveralImagesAreAllSentBeforeAnyIsWaitedFor) {
    daemon.on(delete_a, 202, accepted("rbd/a"), task_x)
        .on(delete_b, 202, accepted("rbd/b"), task_y)
        .on(ask(task_x), 200, succeeded(task_x, "rbd/a"))
        .on(ask(task_y), 200, succeeded(task_y, "rbd/b"));
    EXPECT_EQ(run({"rbd", "rm", "a", "b"}), 0);
    EXPECT_EQ(out(), "rbd rm rbd/a: done in 3.0 s\nrbd rm rbd/b: done in 3.0 s\n");
}

TEST_F(Submitting, OneOfSeveralMayFail) {
    daemon.on(delete_a, 400, {{"detail", "has snapshots"}, {"task", accepted()}}, task_x)
        .on(delete_b, 204, nullptr, task_y);
    EXPECT_EQ(run({"rbd", "rm", "a", "b"}), 1);
    EXPECT_EQ(out(), "rbd rm rbd/b: done in 0.0 s\n");
    EXPECT_EQ(err(), "ceph-task: rbd rm rbd/a: has snapshots\n");
}

TEST_F(Submitting, AfterTheDaemonWentAwayTheRestIsNotTriedButWhatWasAcceptedIsWaitedFor) {
    daemon.on(delete_a, 202, accepted(), task_x).down(delete_b).on(ask(task_x), 200, succeeded(task_x));
    EXPECT_EQ(run({"rbd", "rm", "a", "b", "c"}), 4);
    EXPECT_THAT(err(), HasSubstr("rbd rm rbd/b: no connection; 1 more were not sent\n"));
    EXPECT_THAT(out(), HasSubstr("rbd rm rbd/a: done"));
}

TEST_F(Submitting, SeveralAsJsonAreOneArray) {
    daemon.on(delete_a, 202, accepted("rbd/a"), task_x)
        .on(delete_b, 400, {{"detail", "image_spec: no"}})
        .on(ask(task_x), 200, succeeded(task_x, "rbd/a"));
    EXPECT_EQ(run({"rbd", "rm", "a", "b", "--format", "json"}), 2);
    ASSERT_EQ(json_out().size(), 2U);
    EXPECT_EQ(json_out()[0], succeeded(task_x, "rbd/a"));
    EXPECT_EQ(json_out()[1]["exception"]["detail"], "image_spec: no");
}

TEST_F(Submitting, ACommandPrintsWhatTheClusterSaid) {
    daemon.on("POST /api/command", 200,
              {{"return_code", 0}, {"status", "well"}, {"output", "pool 1 'rbd'"}, {"output_format", "text"}}, task_x);
    EXPECT_EQ(run({"command", "--", "osd", "pool", "ls"}), 0);
    EXPECT_EQ(out(), "pool 1 'rbd'\n");
    EXPECT_EQ(err(), "well\n");
    EXPECT_EQ(json::parse(daemon.requests.front().body), (json{{"words", {"osd", "pool", "ls"}}}));
}

TEST_F(Submitting, ACommandsJsonIsIndented) {
    daemon.on("POST /api/command", 200,
              {{"return_code", 0}, {"status", ""}, {"output", {"a"}}, {"output_format", "json"}});
    EXPECT_EQ(run({"command", R"({"prefix":"osd pool ls","format":"json"})"}), 0);
    EXPECT_EQ(out(), "[\n  \"a\"\n]\n");
    EXPECT_EQ(err(), "");
}

TEST_F(Submitting, ACommandThatReturnsAnErrorHasFailed) {
    daemon.on("POST /api/command", 200, {{"return_code", -22}, {"status", "invalid command"}, {"output", ""}}, task_x);
    EXPECT_EQ(run({"command", "--", "frobnicate"}), 1);
    EXPECT_EQ(err(), "ceph-task: invalid command\n");
}

TEST_F(Submitting, ACommandThatTakesLongIsWaitedForAndPrinted) {
    json task = succeeded(task_x);
    task["ret_value"] = {{"return_code", 0}, {"status", ""}, {"output", "done\n"}};
    daemon.on("POST /api/command", 202, {{"name", "command"}, {"metadata", json::object()}}, task_x)
        .on(ask(task_x), 200, task);
    EXPECT_EQ(run({"command", "--osd", "3", "--", "bench"}), 0);
    EXPECT_EQ(out(), "done\n");
}

TEST_F(Submitting, ACommandTakesItsInputFromAFile) {
    files["map"] = "text\n";
    daemon.on("POST /api/command", 200, {{"return_code", 0}});
    EXPECT_EQ(run({"command", "-i", "map", "--", "osd", "setcrushmap"}), 0);
    EXPECT_EQ(json::parse(daemon.requests.front().body)["input"], "text\n");
}

TEST_F(Submitting, AnInputFileThatCannotBeReadIsBadUsage) {
    EXPECT_EQ(run({"command", "-i", "nowhere", "--", "osd", "setcrushmap"}), 2);
    EXPECT_THAT(err(), HasSubstr("--in-file: cannot open nowhere"));
}

TEST_F(Submitting, AnAcceptedTaskWithoutIdCannotBeFollowed) {
    daemon.on(delete_a, 202, accepted());
    EXPECT_EQ(run({"rbd", "rm", "a"}), 1);
    EXPECT_THAT(err(), HasSubstr("without naming its id"));
}

TEST_F(Submitting, ADetailCannotSteerTheTerminal) {
    daemon.on(delete_a, 400, {{"detail", "\x1b[2J gone"}});
    EXPECT_EQ(run({"rbd", "rm", "a"}), 2);
    EXPECT_THAT(err(), Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace taskd::cli
