#include "component/cli/scripted_daemon.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace taskd::cli {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using namespace std::chrono_literals;

using Watching = CliTest;

json listing(const json& executing, const json& finished = json::array()) {
    return {{"executing_tasks", executing}, {"finished_tasks", finished}};
}

TEST_F(Watching, ATaskIsFollowedUntilItEnds) {
    daemon.on(ask(task_x), 200, unfinished(task_x, 50), "", 2s).on(ask(task_x), 200, succeeded(task_x));
    EXPECT_EQ(run({"watch", task_x}), 0);
    EXPECT_EQ(out(), "rbd/delete rbd/a: done in 3.0 s\n");
    EXPECT_THAT(err(), HasSubstr("rbd/delete rbd/a: 50%, running, 3.0 s\n"));
}

TEST_F(Watching, ATasksFailureIsTheExitCode) {
    daemon.on(ask(task_x), 200, failed(task_x, "busy"));
    EXPECT_EQ(run({"watch", task_x, "--format", "json"}), 1);
    EXPECT_EQ(json_out(), failed(task_x, "busy"));
    EXPECT_THAT(err(), HasSubstr("ceph-task: busy\n"));
}

TEST_F(Watching, ATaskThatIsNotThereIsAFailure) {
    daemon.on(ask(task_x), 404, {{"detail", "no"}});
    EXPECT_EQ(run({"watch", task_x}), 1);
    EXPECT_THAT(err(), HasSubstr("there is no task " + std::string(task_x)));
}

TEST_F(Watching, TheListIsFollowedUntilNothingExecutes) {
    daemon.on(list_all, 200, listing(json::array({unfinished(task_x, 0), unfinished(task_y, 0, "rbd/b")})))
        .on(ask(task_x), 200, unfinished(task_x, 1), "", 2s)
        .on(list_all, 200, listing(json::array({unfinished(task_x, 50)}), json::array({succeeded(task_y, "rbd/b")})))
        .on(ask(task_x), 200, failed(task_x, "busy"), "", 1s)
        .on(list_all, 200, listing(json::array(), json::array({failed(task_x, "busy")})));
    EXPECT_EQ(run({"watch"}), 0);
    EXPECT_EQ(out(),
              "rbd/delete rbd/a: 0%, running, 3.0 s\n"
              "rbd/delete rbd/b: 0%, running, 3.0 s\n"
              "rbd/delete rbd/b: done after 3.0 s\n"
              "rbd/delete rbd/a: 50%, running, 3.0 s\n"
              "rbd/delete rbd/a: failed after 3.0 s: busy\n");
}

TEST_F(Watching, TheListIsDrawnInPlaceOnATerminal) {
    terminal = true;
    daemon.on(list_all, 200, listing(json::array({unfinished(task_x, 0)})))
        .on(ask(task_x, 1), 200, succeeded(task_x))
        .on(list_all, 200, listing(json::array(), json::array({succeeded(task_x)})));
    EXPECT_EQ(run({"watch"}), 0);
    EXPECT_THAT(out(), testing::EndsWith("\x1b[2A\x1b[Jrbd/delete rbd/a: done after 3.0 s\n"));
}

TEST_F(Watching, ALongListIsCutToTheScreen) {
    terminal = true;
    json many = json::array();
    for (int i = 0; i < 20; ++i) many.push_back(unfinished(task_x, 0, "rbd/" + std::to_string(i)));
    for (int i = 0; i < 20; ++i) many[static_cast<std::size_t>(i)].erase("id");
    daemon.on(list_all, 200, listing(many)).on(list_all, 200, listing(json::array()));
    EXPECT_EQ(run({"watch"}), 0);
    EXPECT_THAT(out(), HasSubstr("… and 13 more\n\x1b[9A\x1b[J"));
}

TEST_F(Watching, ADaemonThatHoldsNothingIsNotHammered) {
    daemon.on(list_all, 200, listing(json::array({unfinished(task_x, 0)})))
        .on(ask(task_x), 200, unfinished(task_x, 0))
        .on(list_all, 200, listing(json::array()));
    EXPECT_EQ(run({"watch"}), 0);
    EXPECT_GE(timer.seconds(), 0.5);
}

TEST_F(Watching, ADaemonThatGoesAwayIsTriedAgain) {
    daemon.on(list_all, 200, listing(json::array({unfinished(task_x, 0)})))
        .down(ask(task_x))
        .down(list_all)
        .down(list_all)
        .on(list_all, 200, listing(json::array()));
    EXPECT_EQ(run({"watch"}), 0);
    EXPECT_EQ(err(), "ceph-task: no connection; trying again\n");
}

TEST_F(Watching, ADaemonThatStaysAwayIsExitCodeFour) {
    daemon.on(list_all, 200, listing(json::array({unfinished(task_x, 0)}))).down(ask(task_x)).down(list_all).for_ever();
    EXPECT_EQ(run({"watch"}), 4);
    EXPECT_NEAR(timer.seconds(), 60, 5);
}

TEST_F(Watching, TheTimeOutEndsTheList) {
    daemon.on(list_all, 200, listing(json::array({unfinished(task_x, 0)})))
        .on(ask(task_x), 200, unfinished(task_x, 0), "", 2s)
        .on(list_all, 200, listing(json::array({unfinished(task_x, 0)})));
    EXPECT_EQ(run({"watch", "--timeout", "2"}), 3);
    EXPECT_THAT(err(), HasSubstr("tasks still execute; look: ceph-task ls --executing"));
}

TEST_F(Watching, TheListAsJsonIsTheLastOne) {
    daemon.on(list_all, 200, listing(json::array({unfinished(task_x, 0)})))
        .on(ask(task_x), 200, succeeded(task_x))
        .on(list_all, 200, listing(json::array(), json::array({succeeded(task_x)})));
    EXPECT_EQ(run({"watch", "--format", "json"}), 0);
    EXPECT_EQ(json_out(), listing(json::array(), json::array({succeeded(task_x)})));
}

TEST_F(Watching, ARefusalEndsIt) {
    daemon.on(list_all, 401, {{"detail", "You are not authorized to access that resource"}});
    EXPECT_EQ(run({"watch"}), 2);
}

}  // namespace
}  // namespace taskd::cli
