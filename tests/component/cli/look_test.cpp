#include "component/cli/scripted_daemon.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace taskd::cli {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

using Looking = CliTest;

json both() {
    return {{"executing_tasks", json::array({unfinished(task_x, 43)})},
            {"finished_tasks", json::array({failed(task_y, "busy", "rbd/b")})}};
}

TEST_F(Looking, LsIsATable) {
    daemon.on(list_all, 200, both());
    EXPECT_EQ(run({"ls"}), 0);
    EXPECT_THAT(out(), HasSubstr("running   43%"));
    EXPECT_THAT(out(), HasSubstr("rbd/b    2026-11-25 01:31:34Z  busy"));
    EXPECT_THAT(out(), Not(HasSubstr("\x1b")));
}

TEST_F(Looking, LsHasColorsOnATerminalUnlessToldOtherwise) {
    terminal = true;
    daemon.on(list_all, 200, both());
    run({"ls"});
    EXPECT_THAT(out(), HasSubstr("\x1b[31mfailed\x1b[0m"));
}

TEST_F(Looking, LsWithoutColor) {
    terminal = true;
    daemon.on(list_all, 200, both());
    run({"ls", "--no-color"});
    EXPECT_THAT(out(), Not(HasSubstr("\x1b")));
}

TEST_F(Looking, LsEncodesTheGlob) {
    daemon.on("GET /api/task?detail=1&name=rbd%2F%2A%20%5Bx%5D", 200, both());
    EXPECT_EQ(run({"ls", "rbd/* [x]"}), 0);
}

TEST_F(Looking, LsFiltersByState) {
    daemon.on(list_all, 200, both());
    EXPECT_EQ(run({"ls", "--executing", "--format", "json"}), 0);
    EXPECT_EQ(json_out(), (json{{"executing_tasks", json::array({unfinished(task_x, 43)})}}));
}

TEST_F(Looking, ShowOfAnIdShowsEverything) {
    daemon.on(ask(task_x, 0), 200, failed(task_x, "busy"));
    EXPECT_EQ(run({"show", task_x}), 0);
    EXPECT_THAT(out(), HasSubstr("exception   busy\n"));
}

TEST_F(Looking, ShowOfAGlobShowsAllThatMatch) {
    daemon.on("GET /api/task?detail=1&name=rbd%2Fdelete", 200, both());
    EXPECT_EQ(run({"show", "rbd/delete", "--format", "json"}), 0);
    EXPECT_EQ(json_out().size(), 2U);
}

TEST_F(Looking, ShowOfNothingIsAFailure) {
    daemon.on("GET /api/task?detail=1&name=x", 200,
              {{"executing_tasks", json::array()}, {"finished_tasks", json::array()}});
    EXPECT_EQ(run({"show", "x"}), 1);
    EXPECT_EQ(err(), "ceph-task: no task has a name that matches 'x'\n");
}

TEST_F(Looking, ShowOfAnUnknownIdIsAFailure) {
    daemon.on(ask(task_x, 0), 404, {{"detail", "no task"}});
    EXPECT_EQ(run({"show", task_x}), 1);
    EXPECT_EQ(err(), "ceph-task: no task\n");
}

TEST_F(Looking, CancelAsks) {
    daemon.on("DELETE /api/task/" + std::string(task_x), 202, unfinished(task_x, 3));
    EXPECT_EQ(run({"cancel", task_x}), 0);
    EXPECT_THAT(out(), HasSubstr("ceph-task watch " + std::string(task_x)));
}

TEST_F(Looking, CancelByForce) {
    daemon.on("DELETE /api/task/" + std::string(task_x) + "?force=true", 202, unfinished(task_x, 3));
    EXPECT_EQ(run({"cancel", task_x, "--force"}), 0);
}

TEST_F(Looking, CancelOfAFinishedTaskFails) {
    daemon.on("DELETE /api/task/" + std::string(task_x), 409, {{"detail", "has finished already"}});
    EXPECT_EQ(run({"cancel", task_x}), 1);
    EXPECT_EQ(err(), "ceph-task: has finished already\n");
}

TEST_F(Looking, CancelWantsAnId) {
    EXPECT_EQ(run({"cancel", "rbd/delete"}), 2);
    EXPECT_THAT(err(), HasSubstr("is not a task id"));
}

TEST_F(Looking, SummaryCounts) {
    json summary = both();
    summary["health_status"] = "HEALTH_WARN";
    daemon.on("GET /api/summary", 200, summary);
    EXPECT_EQ(run({"summary"}), 0);
    EXPECT_THAT(out(), HasSubstr("health           HEALTH_WARN\n"));
    EXPECT_THAT(out(), HasSubstr("executing tasks  1\n"));
}

TEST_F(Looking, EveryCommandTellsAnUnreachableDaemon) {
    for (const std::vector<std::string>& command : {std::vector<std::string>{"ls"},
                                                    {"show", "x"},
                                                    {"show", task_x},
                                                    {"cancel", task_x},
                                                    {"summary"},
                                                    {"watch"}}) {
        daemon.down((command[0] == "cancel" ? "DELETE " : "GET ") +
                    std::string(command[0] == "summary"    ? "/api/summary"
                                : command.back() == task_x ? "/api/task/" + std::string(task_x)
                                : command.back() == "x"    ? "/api/task?detail=1&name=x"
                                                           : "/api/task?detail=1"));
        EXPECT_EQ(run(command), 4) << command[0];
    }
}

TEST_F(Looking, AnswersThatAreNoJsonAreFailures) {
    daemon.on(list_all, 200, json::array());
    EXPECT_EQ(run({"ls"}), 1);
    EXPECT_THAT(err(), HasSubstr("not a JSON object"));
}

TEST_F(Looking, VersionNeedsNoDaemon) {
    EXPECT_EQ(run({"version", "--format", "json"}), 0);
    EXPECT_TRUE(json_out().contains("version"));
}

}  // namespace
}  // namespace taskd::cli
