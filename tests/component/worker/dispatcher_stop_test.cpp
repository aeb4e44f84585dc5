#include "dispatcher_fixture.hpp"

#include <thread>

namespace taskd::worker {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

class DispatcherStopTest : public DispatcherTest {};

TEST_F(DispatcherStopTest, EndsIdleWorkersAtOnce) {
    options.workers = 2;
    start();
    wait_until([&] { return dispatcher->status().workers_ready == 2; });

    dispatcher->stop(1h);

    EXPECT_EQ(crew.kills().size(), 2U);
}

TEST_F(DispatcherStopTest, LetsRunningJobsEndAndStartsNoOthers) {
    options.workers = 2;
    options.queue.per_pool = 1;
    start();
    wait_until([&] { return dispatcher->status().workers_ready == 2; });
    const auto running = submit();
    const auto waiting = submit();
    const auto given = crew.wait_for_order(running->id());
    wait_until_queued(waiting);

    std::thread stop([this] { dispatcher->stop(1h); });
    crew.wait_for_kills(1);  // of the idle one: the stop has begun
    crew.progress(given, 50);
    crew.succeed(given, "done");
    stop.join();

    EXPECT_EQ(running->wait().value, "done");
    EXPECT_FALSE(waiting->is_finished());
    EXPECT_EQ(crew.orders().size(), 1U);
}

TEST_F(DispatcherStopTest, AbandonsWhatRunsAfterTheGraceTime) {
    start();
    const auto task = submit();
    crew.wait_for_order(task->id());

    std::thread stop([this] { dispatcher->stop(10s); });
    // The clock moves on until the stop has begun and its time is over.
    while (crew.kills().empty()) clock.advance(1s);
    stop.join();

    EXPECT_FALSE(task->is_finished());
    EXPECT_THAT(crew.kills(), ElementsAre(0U));
}

TEST_F(DispatcherStopTest, NowMeansByForce) {
    start();
    const auto task = submit();
    crew.wait_for_order(task->id());

    dispatcher->stop_now();

    EXPECT_THAT(crew.kills(), ElementsAre(0U));
    EXPECT_FALSE(task->is_finished());
}

TEST_F(DispatcherStopTest, TheEndOfItsLifeIsAStopNow) {
    start();
    const auto task = submit();
    crew.wait_for_order(task->id());

    dispatcher.reset();

    EXPECT_FALSE(task->is_finished());
}

TEST_F(DispatcherStopTest, WorkersThatNeverGotReadyAreEndedToo) {
    crew.ready_at_once = false;
    start();
    crew.wait_for_workers(1);

    dispatcher->stop(1h);

    EXPECT_THAT(crew.kills(), ElementsAre(0U));
}

TEST_F(DispatcherStopTest, AWorkerThatIsToBeStartedAgainIsNot) {
    crew.before_start = [] { throw Error(ErrorKind::internal, EAGAIN, "taskd", "no more processes"); };
    start();

    dispatcher->stop(1h);

    EXPECT_TRUE(crew.workers().empty());
}

TEST_F(DispatcherStopTest, WorkersThatCannotBeKilledAreDestroyedWithTheirJobs) {
    crew.can_be_killed = false;
    start();
    const auto task = submit();
    crew.wait_for_order(task->id());

    dispatcher->stop_now();

    EXPECT_FALSE(task->is_finished());
}

TEST_F(DispatcherStopTest, MayBeAskedForTwice) {
    start();

    dispatcher->stop(0ms);
    dispatcher->stop(0ms);
    dispatcher->stop_now();
}

TEST_F(DispatcherStopTest, WhatComesAfterwardsIsNotRun) {
    start();
    dispatcher->stop(0ms);

    const auto task = submit();
    dispatcher->cancel(task->id(), true);

    EXPECT_FALSE(task->is_finished());
}

}  // namespace
}  // namespace taskd::worker
