#include "cli/render.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace taskd::cli {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

ProgressView half_done() {
    return {.label = "rbd rm rbd/vm-1", .state = "running", .percent = 50, .elapsed_s = 12, .eta_s = 13};
}

TEST(ProgressLine, ShowsEverythingWhereThereIsRoom) {
    EXPECT_EQ(progress_bar_line(half_done(), 100),
              "rbd rm rbd/vm-1 [===================>                  ]  50%  12 s  ETA 13 s  running");
}

TEST(ProgressLine, NeverIsWiderThanTheTerminal) {
    ProgressView view = half_done();
    view.label = "rbd rm rbd/日本語日本語日本語-and-a-rather-long-name-that-goes-on-and-on-and-on";
    view.state = "queued: waits for a free place, which may take a while as there are many others";
    view.total = 20;
    for (std::size_t columns = 1; columns <= 200; ++columns) {
        EXPECT_LE(display_width(progress_bar_line(view, columns)), columns);
    }
}

TEST(ProgressLine, KeepsTheNumbersWhenItIsNarrow) {
    EXPECT_THAT(progress_bar_line(half_done(), 40), HasSubstr(" 50%  12 s"));
}

TEST(ProgressLine, LetsNoControlCharacterThrough) {
    ProgressView view = half_done();
    view.label = "\x1b]0;x\x07";
    view.state = "\x1b[2J";
    EXPECT_THAT(progress_bar_line(view, 100), Not(HasSubstr("\x1b")));
    EXPECT_THAT(progress_plain_line(view), Not(HasSubstr("\x1b")));
}

TEST(ProgressLine, CountsTasksWhenThereAreSeveral) {
    ProgressView view = half_done();
    view.position = 2;
    view.total = 3;
    EXPECT_EQ(progress_plain_line(view), "(2/3) rbd rm rbd/vm-1: 50%, running, 12 s");
}

TEST(StateText, TellsStateAndReason) {
    EXPECT_EQ(state_text({{"state", "queued"}, {"waiting_for", "a free worker"}}), "queued: a free worker");
    EXPECT_EQ(state_text({{"state", "queued"}, {"waiting_for", "a free worker"}, {"queue_position", 3}}),
              "queued: a free worker, place 3 in line");
    EXPECT_EQ(state_text({{"state", "queued"}, {"queue_position", 3}}), "queued: place 3 in line");
    for (const json& position : {json(nullptr), json(0), json(-1), json(1e300), json("3")})
        EXPECT_EQ(state_text({{"state", "queued"}, {"queue_position", position}}), "queued") << position;
    EXPECT_EQ(state_text({{"state", "running"}}), "running");
    EXPECT_EQ(state_text({{"state", "running"}, {"stalled_since", "2026-11-25T01:31:34Z"}}), "stalled");
    EXPECT_EQ(state_text({{"state", "finished"}, {"success", true}}), "done");
    EXPECT_EQ(state_text({{"state", "finished"}, {"success", false}}), "failed");
    EXPECT_EQ(state_text({{"success", false}}), "failed");  // a listing without detail
}

TEST(FailureText, IsTheDetailOrWhateverThereIs) {
    EXPECT_EQ(failure_text({{"detail", "[errno 17] exists"}, {"code", "17"}}), "[errno 17] exists");
    EXPECT_EQ(failure_text({{"detail", "two\nlines"}}), "two?lines");
    EXPECT_EQ(failure_text("text"), "text");
    EXPECT_EQ(failure_text(nullptr), "the task failed without saying why");
    EXPECT_EQ(failure_text(json::object()), "the task failed without saying why");
    EXPECT_EQ(failure_text({{"code", 5}}), "{\"code\":5}");
}

TEST(Table, AlignsColumnsByWidthAndLeavesNoBlanksAtTheEnd) {
    EXPECT_EQ(table({{{"A"}, {"N", Color::none, true}, {"B"}},
                     {{"日本"}, {"10", Color::none, true}, {""}},
                     {{"x"}, {"5", Color::none, true}, {"y"}}},
                    0, false),
              "A      N  B\n日本  10\nx      5  y\n");
}

TEST(Table, CutsTheLastColumnAtTheEdge) {
    EXPECT_EQ(table({{{"a"}, {"a long text"}}}, 8, false), "a  a lo…\n");
}

TEST(Table, ColorsOnlyWhenTold) {
    const std::vector<Row> rows{{{"failed", Color::red}, {"x"}}};
    EXPECT_EQ(table(rows, 0, false), "failed  x\n");
    EXPECT_EQ(table(rows, 0, true), "\x1b[31mfailed\x1b[0m  x\n");
}

TEST(TaskTable, ListsExecutingTasksFirst) {
    const json listing{{"executing_tasks",
                        {{{"id", "01A"},
                          {"state", "running"},
                          {"name", "rbd/delete"},
                          {"metadata", {{"image_spec", "rbd/vm-1"}}},
                          {"begin_time", "2026-11-25T01:31:34.380289Z"},
                          {"progress", 43}}}},
                       {"finished_tasks",
                        {{{"id", "01B"},
                          {"state", "finished"},
                          {"name", "rbd/create"},
                          {"metadata", {{"image_spec", "rbd/vm-2"}}},
                          {"begin_time", "2026-11-25T01:31:30Z"},
                          {"progress", 0},
                          {"duration", 1.5},
                          {"success", false},
                          {"exception", {{"detail", "exists"}}}}}}};
    EXPECT_EQ(task_table(listing, 0, false),
              "ID   STATE    DONE   TOOK  NAME        SUBJECT   BEGAN                 NOTE\n"
              "01A  running   43%         rbd/delete  rbd/vm-1  2026-11-25 01:31:34Z\n"
              "01B  failed     0%  1.5 s  rbd/create  rbd/vm-2  2026-11-25 01:31:30Z  exists\n");
}

TEST(TaskTable, SaysWhenThereIsNothing) {
    EXPECT_EQ(task_table({{"executing_tasks", json::array()}, {"finished_tasks", json::array()}}, 0, false),
              "No tasks.\n");
    EXPECT_EQ(task_table(json::object(), 0, false), "No tasks.\n");
}

TEST(TaskDetails, ShowsWhatIsKnownAndLeavesOutWhatIsNot) {
    const std::string text = task_details({{"id", "01A"},
                                           {"name", "rbd/delete"},
                                           {"metadata", {{"image_spec", "rbd/vm-1"}}},
                                           {"state", "queued"},
                                           {"waiting_for", "rbd/vm-1 in use"},
                                           {"progress", 0},
                                           {"end_time", nullptr},
                                           {"attempts", 2},
                                           {"future_key", "x\x1b"}},
                                          false);
    EXPECT_EQ(text,
              "task        rbd/delete rbd/vm-1\n"
              "status      queued: rbd/vm-1 in use\n"
              "id          01A\n"
              "progress    0%\n"
              "attempts    2\n"
              "metadata    {\"image_spec\":\"rbd/vm-1\"}\n"
              "future_key  x?\n");
}

TEST(SummaryText, CountsTasks) {
    const std::string text = summary_text({{"health_status", "HEALTH_OK"},
                                           {"mgr_id", "x"},
                                           {"mgr_host", "http://h/"},
                                           {"have_mon_connection", true},
                                           {"version", "ceph 16"},
                                           {"executing_tasks", {1, 2}},
                                           {"finished_tasks", json::array()}},
                                          false);
    EXPECT_EQ(text,
              "health           HEALTH_OK\n"
              "active mgr       x http://h/\n"
              "monitors         connected\n"
              "version          ceph 16\n"
              "executing tasks  2\n"
              "finished tasks   0\n");
}

}  // namespace
}  // namespace taskd::cli
