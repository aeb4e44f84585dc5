#include "component/cli/scripted_daemon.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace taskd::cli {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;
using namespace std::chrono_literals;

using Waiting = CliTest;

TEST_F(Waiting, PrintsALineForEveryFivePercent) {
    daemon.on(delete_a, 202, accepted(), task_x)
        .on(ask(task_x), 200, unfinished(task_x, 10), "", 2s)
        .on(ask(task_x), 200, unfinished(task_x, 12), "", 2s)
        .on(ask(task_x), 200, unfinished(task_x, 50), "", 2s)
        .on(ask(task_x), 200, succeeded(task_x));
    EXPECT_EQ(run({"rbd", "rm", "a"}), 0);
    EXPECT_EQ(err(),
              "rbd rm rbd/a: 0%, running, 0.0 s\n"
              "rbd rm rbd/a: 10%, running, 3.0 s\n"
              "rbd rm rbd/a: 50%, running, 3.0 s\n");
    EXPECT_EQ(out(), "rbd rm rbd/a: done in 3.0 s\n");
}

TEST_F(Waiting, DrawsOneLineOnATerminal) {
    terminal = true;
    daemon.on(delete_a, 202, accepted(), task_x)
        .on(ask(task_x, 1), 200, unfinished(task_x, 50), "", 1s)
        .on(ask(task_x, 1), 200, succeeded(task_x));
    EXPECT_EQ(run({"rbd", "rm", "a"}), 0);
    EXPECT_THAT(err(), HasSubstr("\rrbd rm rbd/a [===================>"));
    EXPECT_THAT(err(), testing::EndsWith("\r\x1b[K"));
    EXPECT_THAT(err(), Not(HasSubstr("\n")));
    EXPECT_THAT(out(), Not(HasSubstr("\x1b")));
}

TEST_F(Waiting, NoProgressIsSilentAndAsksSeldom) {
    daemon.on(delete_a, 202, accepted(), task_x)
        .on(ask(task_x, 10), 200, unfinished(task_x, 50), "", 10s)
        .on(ask(task_x, 10), 200, succeeded(task_x));
    EXPECT_EQ(run({"rbd", "rm", "a", "--no-progress"}), 0);
    EXPECT_EQ(err(), "");
}

TEST_F(Waiting, TellsWhyATaskFailed) {
    daemon.on(delete_a, 202, accepted(), task_x).on(ask(task_x), 200, failed(task_x, "[errno 16] RBD image is busy"));
    EXPECT_EQ(run({"rbd", "rm", "a"}), 1);
    EXPECT_THAT(err(), testing::EndsWith("\nceph-task: [errno 16] RBD image is busy\n"));
    EXPECT_EQ(out(), "");
}

TEST_F(Waiting, TheTimeOutSaysThatTheTaskGoesOn) {
    daemon.on(delete_a, 202, accepted(), task_x)
        .on(ask(task_x), 200, unfinished(task_x, 10), "", 2s)
        .on(ask(task_x), 200, unfinished(task_x, 20), "", 2s)
        .on(ask(task_x, 1), 200, unfinished(task_x, 30), "", 1s);
    EXPECT_EQ(run({"rbd", "rm", "a", "--timeout", "5"}), 3);
    EXPECT_THAT(err(), HasSubstr("ceph-task: task " + std::string(task_x) + " has not finished in time\n"));
    EXPECT_THAT(err(), HasSubstr("the task goes on; look: ceph-task watch " + std::string(task_x)));
    EXPECT_NEAR(timer.seconds(), 5, 0.1);
}

TEST_F(Waiting, TheTimeOutPrintsTheTaskAsJson) {
    daemon.on(delete_a, 202, accepted(), task_x).on(ask(task_x, 0), 200, unfinished(task_x, 10));
    EXPECT_EQ(run({"rbd", "rm", "a", "--timeout", "0", "--format", "json"}), 3);
    EXPECT_EQ(json_out(), unfinished(task_x, 10));
}

TEST_F(Waiting, JsonIsTheFinalObjectAndNothingElse) {
    daemon.on(delete_a, 202, accepted(), task_x)
        .on(ask(task_x), 200, unfinished(task_x, 10), "", 2s)
        .on(ask(task_x), 200, succeeded(task_x));
    EXPECT_EQ(run({"rbd", "rm", "a", "--format", "json"}), 0);
    EXPECT_EQ(json_out(), succeeded(task_x));
}

TEST_F(Waiting, ADaemonThatIsStartedAgainIsAskedForTheSameTask) {
    daemon.on(delete_a, 202, accepted(), task_x)
        .on(ask(task_x), 200, unfinished(task_x, 10), "", 2s)
        .down(ask(task_x), true)
        .down(ask(task_x, 0))
        .down(ask(task_x, 0))
        .on(ask(task_x, 0), 503, {{"detail", "reading the journal"}})
        .on(ask(task_x, 0), 200, unfinished(task_x, 60))
        .on(ask(task_x), 200, succeeded(task_x));
    EXPECT_EQ(run({"rbd", "rm", "a"}), 0);
    EXPECT_THAT(err(), HasSubstr("rbd rm rbd/a: 10%, no answer, trying again: no connection"));
    EXPECT_THAT(err(), HasSubstr("rbd rm rbd/a: 60%, running"));
}

TEST_F(Waiting, ADaemonThatStaysAwayIsExitCodeFourAfterAMinute) {
    daemon.on(delete_a, 202, accepted(), task_x).down(ask(task_x)).down(ask(task_x, 0)).for_ever();
    EXPECT_EQ(run({"rbd", "rm", "a"}), 4);
    EXPECT_NEAR(timer.seconds(), 60, 5);
    EXPECT_LT(daemon.requests.size(), 30U);
    EXPECT_THAT(err(), HasSubstr("the task goes on; look: ceph-task watch "));
}

TEST_F(Waiting, TheHintNamesTheDaemonThatWasAsked) {
    daemon.on(delete_a, 202, accepted(), task_x).on(ask(task_x, 0), 200, unfinished(task_x, 10));
    EXPECT_EQ(run({"rbd", "rm", "a", "--timeout", "0", "--socket", "/s"}), 3);
    EXPECT_THAT(err(), HasSubstr("ceph-task --url unix:/s watch "));
}

TEST_F(Waiting, TasksFurtherDownAreLookedAtBeforeTheyAreForgotten) {
    daemon.on(delete_a, 202, accepted("rbd/a"), task_x).on(delete_b, 202, accepted("rbd/b"), task_y);
    for (int i = 0; i < 5; ++i) daemon.on(ask(task_x), 200, unfinished(task_x, i, "rbd/a"), "", 2s);
    daemon.on(ask(task_y, 0), 200, succeeded(task_y, "rbd/b"));
    daemon.on(ask(task_x), 200, succeeded(task_x, "rbd/a"));
    EXPECT_EQ(run({"rbd", "rm", "a", "b"}), 0);
    EXPECT_THAT(out(), HasSubstr("rbd rm rbd/b: done"));
}

TEST_F(Waiting, CtrlCSaysWhatToDoAtEveryMoment) {
    daemon.on(delete_a, 202, accepted(), task_x).on(ask(task_x), 200, succeeded(task_x));
    run({"rbd", "rm", "a"});
    ASSERT_EQ(interruption.said.size(), 3U);
    EXPECT_THAT(interruption.said[0], HasSubstr("may have been accepted. Look: ceph-task ls"));
    EXPECT_THAT(interruption.said[1], HasSubstr("the task goes on. Look: ceph-task watch " + std::string(task_x)));
    EXPECT_THAT(interruption.said[1], HasSubstr("ceph-task cancel " + std::string(task_x)));
    EXPECT_EQ(interruption.said[2], "");
}

}  // namespace
}  // namespace taskd::cli
