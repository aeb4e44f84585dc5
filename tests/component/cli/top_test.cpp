#include "cli/top_screen.hpp"
#include "component/cli/scripted_daemon.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace taskd::cli {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

using Topping = CliTest;

json both(const json& executing, const json& finished = json::array()) {
    return {{"executing_tasks", executing}, {"finished_tasks", finished}};
}

json queued(const std::string& id, const std::string& image) {
    json task = unfinished(id, 0, image);
    task["state"] = "queued";
    task["waiting_for"] = "another task of this image";
    return task;
}

TEST(TopScreen, ShowsRunningTasksFirstThenWaitingThenFinished) {
    TopScreen screen;
    const auto lines = screen.draw(
        both(json::array({queued(task_y, "rbd/b"), unfinished(task_x, 43)}), json::array({failed(task_y, "busy")})), 0,
        100, 24);
    EXPECT_THAT(lines,
                ElementsAre("1 running, 1 waiting; 1 finished, 1 of them failed", HasSubstr("DONE"),
                            AllOf(StartsWith("[=====>      ]  43%"), EndsWith("rbd/delete rbd/a")),
                            EndsWith("rbd/delete rbd/b (queued: another task of this image)"), HasSubstr("busy")));
}

TEST(TopScreen, TellsTheTimeLeftOnceATaskHasMoved) {
    TopScreen screen;
    EXPECT_THAT(screen.draw(both(json::array({unfinished(task_x, 10)})), 0, 100, 24)[2], Not(HasSubstr("40 s")));
    EXPECT_THAT(screen.draw(both(json::array({unfinished(task_x, 60)})), 50, 100, 24)[2], HasSubstr("40 s"));
}

TEST(TopScreen, NeverExceedsTheScreenAndSaysHowMuchIsMissing) {
    json many = json::array();
    for (int n = 0; n < 50; ++n) many.push_back(unfinished(std::to_string(n), n, "rbd/" + std::string(100, 'x')));
    json ended = json::array();
    for (int n = 0; n < 50; ++n) ended.push_back(succeeded(std::to_string(100 + n)));
    for (const std::size_t rows : {1, 2, 3, 10, 30}) {
        TopScreen screen;
        const auto lines = screen.draw(both(many, ended), 0, 60, rows);
        EXPECT_THAT(lines, SizeIs(testing::Le(rows)));
        for (const auto& line : lines) EXPECT_LE(display_width(line), 60U) << line;
        if (rows >= 10) {
            EXPECT_THAT(lines, testing::Contains(HasSubstr(" more"))) << rows;
        }
    }
}

TEST(TopScreen, TakesWhateverADaemonSays) {
    TopScreen screen;
    for (const auto& listing : {json::object(), json{{"executing_tasks", 5}}, both(json::array({7, json::object()}))})
        EXPECT_THAT(screen.draw(listing, 0, 80, 10), Not(testing::IsEmpty()));
}

TEST_F(Topping, IsDrawnOverWhatWasThere) {
    terminal = true;
    daemon.on(list_all, 200, both(json::array({unfinished(task_x, 1)})))
        .on(list_all, 200, both(json::array(), json::array({succeeded(task_x)})));
    EXPECT_EQ(run({"top", "-n", "2"}), 0);
    EXPECT_THAT(out(), HasSubstr("\x1b[3A\r0 running, 0 waiting; 1 finished, 0 of them failed\x1b[K\n"));
    EXPECT_THAT(timer.seconds(), testing::AllOf(testing::Gt(0.9), testing::Lt(1.1)));
}

TEST_F(Topping, WithoutATerminalTheListIsPrintedOnce) {
    daemon.on(list_all, 200, both(json::array({unfinished(task_x, 1)})));
    EXPECT_EQ(run({"top"}), 0);
    EXPECT_THAT(out(), AllOf(HasSubstr(task_x), Not(HasSubstr("\x1b"))));
}

TEST_F(Topping, KeepsWhatWasSeenWhileTheDaemonIsAway) {
    terminal = true;
    daemon.on(list_all, 200, both(json::array({unfinished(task_x, 1)})))
        .down(list_all)
        .on(list_all, 200, both(json::array()));
    EXPECT_EQ(run({"top", "-n", "3"}), 0);
    EXPECT_THAT(out(), HasSubstr("no connection; trying again\x1b[K\n"));
}

TEST_F(Topping, EndsWhenTheDaemonRefusesOrIsNotThere) {
    terminal = true;
    daemon.on(list_all, 403, {{"detail", "no right"}});
    EXPECT_EQ(run({"top"}), 2);
    EXPECT_THAT(err(), HasSubstr("no right"));
    daemon.down(list_all);
    EXPECT_EQ(run({"top"}), 4);
}

}  // namespace
}  // namespace taskd::cli
