#include "worker/dispatcher.hpp"

#include "dispatcher_fixture.hpp"

#include <map>

namespace taskd::worker {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST_F(DispatcherTest, AJobRunsInAWorkerAndItsResultIsTheTasks) {
    start();
    const auto task = submit();

    const auto given = crew.wait_for_order(task->id());
    crew.succeed(given, {{"made", true}});

    EXPECT_EQ(given.order.operation, "test/job");
    EXPECT_EQ(given.order.arguments, task->metadata());
    EXPECT_EQ(task->wait().value, nlohmann::json({{"made", true}}));
    EXPECT_EQ(task->status().attempts, 1);
}

TEST_F(DispatcherTest, AFailureKeepsItsKindAndText) {
    start();
    const auto task = submit();

    crew.fail(crew.wait_for_order(task->id()),
              Error(ErrorKind::refused, EEXIST, "rbd", "[errno 17] RBD image already exists (error creating image)"));

    EXPECT_EQ(failure_of(task), "[errno 17] RBD image already exists (error creating image)");
    EXPECT_EQ(kind_of_failure(task), ErrorKind::refused);
}

TEST_F(DispatcherTest, JobsWaitUntilAWorkerIsReady) {
    crew.ready_at_once = false;
    start();
    const auto task = submit();
    wait_until([&] { return dispatcher->status().waiting == 1; });
    EXPECT_EQ(dispatcher->status().workers_ready, 0U);

    crew.wait_for_workers(1);
    crew.ready(0);

    crew.succeed(crew.wait_for_order(task->id()));
    task->wait();
}

TEST_F(DispatcherTest, JobsGoToTheFreestWorker) {
    options.workers = 3;
    options.threads_per_worker = 2;
    start();
    wait_until([&] { return dispatcher->status().workers_ready == 3; });

    std::map<std::size_t, int> jobs;
    for (int n = 0; n < 6; ++n) ++jobs[crew.wait_for_order(submit()->id()).worker];

    EXPECT_EQ(jobs, (std::map<std::size_t, int>{{0, 2}, {1, 2}, {2, 2}}));
}

TEST_F(DispatcherTest, NoMoreJobsRunThanThereAreThreads) {
    options.threads_per_worker = 2;
    start();
    const auto a = submit();
    const auto b = submit();
    const auto c = submit();
    const auto first = crew.wait_for_order(a->id());
    crew.wait_for_order(b->id());
    wait_until_queued(c);
    EXPECT_EQ(c->status().phase, TaskPhase::queued);

    crew.succeed(first);

    crew.wait_for_order(c->id());
}

TEST_F(DispatcherTest, JobsOfOneImageRunOneAfterTheOther) {
    start();
    const auto first = submit({.images = {"rbd/x"}});
    const auto second = submit({.images = {"rbd/x"}});
    const auto given = crew.wait_for_order(first->id());
    settle();
    EXPECT_EQ(second->status().phase, TaskPhase::queued);
    EXPECT_EQ(second->status().waiting_for, "task " + first->id() + " on image rbd/x");

    crew.succeed(given);

    crew.wait_for_order(second->id());
    EXPECT_EQ(second->status().waiting_for, "");
}

TEST_F(DispatcherTest, WhatAJobWaitsForIsToldAnewWhenItChanges) {
    options.threads_per_worker = 1;
    start();
    const auto running = submit({.images = {"rbd/y"}});
    crew.wait_for_order(running->id());
    const auto first = submit({.images = {"rbd/x"}});
    const auto second = submit({.images = {"rbd/x"}});
    wait_until([&] { return second->status().waiting_for == "task " + first->id() + " on image rbd/x"; });

    dispatcher->cancel(first->id(), false);

    advance_until([&] { return second->status().waiting_for == "a free slot"; });
}

TEST_F(DispatcherTest, AWaitingJobKnowsItsPlaceInLine) {
    options.threads_per_worker = 1;
    start();
    const auto running = submit();
    const auto given = crew.wait_for_order(running->id());
    const auto first = submit();
    const auto second = submit();
    advance_until([&] { return first->status().queue_position == 1 && second->status().queue_position == 2; });
    EXPECT_EQ(running->status().queue_position, 0U);

    crew.succeed(given);

    advance_until([&] { return second->status().queue_position == 1; });
    EXPECT_EQ(first->status().queue_position, 0U);
}

TEST_F(DispatcherTest, ARecoveredJobKnowsThatItIsNoFirstAttempt) {
    start();
    const auto task = submit({.attempts_before = 1});

    EXPECT_EQ(crew.wait_for_order(task->id(), 2).order.attempt, 2);
}

TEST_F(DispatcherTest, RefusesMoreThanMayWait) {
    crew.ready_at_once = false;
    options.queue.capacity = 2;
    start();
    const auto a = submit();
    submit();

    EXPECT_THROW(submit(), QueueFull);

    dispatcher->cancel(a->id(), false);
    failure_of(a);
    EXPECT_NO_THROW(submit());
}

TEST_F(DispatcherTest, WhatIsNotQueuedYetTakesRoomUntilItIsGivenUp) {
    options.queue.capacity = 1;
    start();
    {
        const auto room = dispatcher->keep_room();
        EXPECT_THROW(dispatcher->keep_room(), QueueFull);
    }
    EXPECT_NO_THROW(dispatcher->keep_room());
}

TEST_F(DispatcherTest, WhatWasAcceptedBeforeIsTakenHoweverManyWait) {
    crew.ready_at_once = false;
    options.queue.capacity = 1;
    start();
    const auto first = submit();

    const auto accepted_before = submit({.accepted_before = true});

    EXPECT_THROW(submit(), QueueFull);
    wait_until([&] { return dispatcher->status().waiting == 2; });
    EXPECT_FALSE(accepted_before->is_finished());
}

TEST_F(DispatcherTest, JobsThatRunMakeRoomForOthersToWait) {
    options.queue.capacity = 1;
    start();

    for (int n = 0; n < 5; ++n) crew.wait_for_order(submit()->id());

    EXPECT_NO_THROW(dispatcher->keep_room());
}

// --- progress

TEST_F(DispatcherTest, ProgressIsTheTasks) {
    start();
    const auto task = submit();

    crew.progress(crew.wait_for_order(task->id()), 42);

    wait_until([&] { return task->progress() == 42; });
}

TEST_F(DispatcherTest, ProgressNeverGoesBack) {
    start();
    const auto task = submit();
    const auto given = crew.wait_for_order(task->id());

    crew.progress(given, 60);
    crew.progress(given, 20);
    settle();

    EXPECT_EQ(task->progress(), 60);
}

TEST_F(DispatcherTest, ProgressStaysWhatItWasWhenAJobRunsAgain) {
    start();
    const auto task = submit();
    const auto given = crew.wait_for_order(task->id());
    crew.progress(given, 60);
    crew.die(given.worker);

    const auto again = crew.wait_for_order(task->id(), 2);
    crew.progress(again, 10);
    crew.progress(again, 61);

    wait_until([&] { return task->progress() == 61; });
}

TEST_F(DispatcherTest, ProgressBeyondTheEndOrOfNobodyDoesNoHarm) {
    start();
    const auto task = submit();
    const auto given = crew.wait_for_order(task->id());

    crew.progress(given, 1000);
    crew.progress(given, -5);
    crew.progress({given.worker, {"unknown", "", nullptr, 1}}, 5);
    crew.succeed({given.worker, {"unknown", "", nullptr, 1}});
    settle();

    EXPECT_EQ(task->progress(), 100);
    EXPECT_FALSE(task->is_finished());
}

// --- stalls

TEST_F(DispatcherTest, AJobWithoutProgressIsMarkedStalledUntilItGoesOn) {
    options.stall_after = 10s;
    start();
    const auto task = submit();
    const auto given = crew.wait_for_order(task->id());
    clock.advance(9s);
    settle();
    EXPECT_FALSE(task->status().stalled_since);

    clock.advance(1s);
    wait_until([&] { return task->status().stalled_since.has_value(); });
    wait_until([&] { return dispatcher->status().stalled == 1; });
    EXPECT_THAT(task->status().waiting_for, HasSubstr("pool rbd"));

    crew.progress(given, 1);
    settle();
    EXPECT_FALSE(task->status().stalled_since);
    EXPECT_EQ(task->status().waiting_for, "");
    EXPECT_EQ(dispatcher->status().stalled, 0U);
}

TEST_F(DispatcherTest, TheSamePercentAgainIsASignOfLife) {
    options.stall_after = 10s;
    start();
    const auto task = submit();
    const auto given = crew.wait_for_order(task->id());
    crew.progress(given, 5);
    settle();

    clock.advance(9s);
    crew.progress(given, 5);
    settle();
    clock.advance(9s);
    settle();

    EXPECT_FALSE(task->status().stalled_since);
}

TEST_F(DispatcherTest, StalledJobsLeaveTheirSlotsToOthers) {
    options.threads_per_worker = 2;
    options.stall_after = 10s;
    start();
    for (int n = 0; n < 2; ++n) crew.wait_for_order(submit()->id());
    const auto third = submit();
    wait_until_queued(third);

    clock.advance(10s);

    crew.wait_for_order(third->id());
}

TEST_F(DispatcherTest, StalledJobsDoNotTakeMoreThreadsThanAWorkerHas) {
    options.threads_per_worker = 1;
    options.stall_after = 10s;
    start();
    for (std::size_t n = 0; n < threads_for_a_slot; ++n) {
        crew.wait_for_order(submit()->id());
        clock.advance(10s);
        wait_until([&] { return dispatcher->status().stalled == n + 1; });
    }
    submit();

    clock.advance(10s);
    wait_until([&] { return dispatcher->status().waiting == 1; });

    EXPECT_EQ(crew.orders().size(), threads_for_a_slot);
}

// --- cancel, deadline

TEST_F(DispatcherTest, AWaitingJobIsCancelledAtOnce) {
    options.threads_per_worker = 1;
    start();
    const auto running = submit();
    crew.wait_for_order(running->id());
    const auto waiting = submit();

    dispatcher->cancel(waiting->id(), false);

    EXPECT_EQ(failure_of(waiting), "[errno 125] cancelled before it ran");
    EXPECT_EQ(kind_of_failure(waiting), ErrorKind::cancelled);
    EXPECT_FALSE(running->is_finished());
}

TEST_F(DispatcherTest, ARunningJobIsAskedAndSaysWhatIsLeft) {
    start();
    const auto task = submit();
    const auto given = crew.wait_for_order(task->id());

    dispatcher->cancel(task->id(), false);
    dispatcher->cancel(task->id(), false);
    crew.wait_for_cancel(task->id());
    crew.fail(given, Error(ErrorKind::cancelled, ECANCELED, "rbd", "[errno 125] the image is half removed"));

    EXPECT_EQ(failure_of(task), "[errno 125] the image is half removed; cancelled on request");
    EXPECT_EQ(kind_of_failure(task), ErrorKind::cancelled);
    EXPECT_THAT(crew.cancels(), ElementsAre(task->id()));
    EXPECT_TRUE(crew.kills().empty());
}

TEST_F(DispatcherTest, AJobThatEndsWellAlthoughItWasCancelledSucceeds) {
    start();
    const auto task = submit();
    const auto given = crew.wait_for_order(task->id());

    dispatcher->cancel(task->id(), false);
    crew.wait_for_cancel(task->id());
    crew.succeed(given, 7);

    EXPECT_EQ(task->wait().value, 7);
}

TEST_F(DispatcherTest, WithForceTheWorkerEndsAfterTheGraceTimeAndOthersInItGoOn) {
    options.cancel_grace = 2s;
    start();
    const auto stuck = submit();
    const auto innocent = submit();
    crew.wait_for_order(stuck->id());
    crew.wait_for_order(innocent->id());

    dispatcher->cancel(stuck->id(), true);
    crew.wait_for_cancel(stuck->id());
    clock.advance(2s);

    EXPECT_THAT(failure_of(stuck), HasSubstr("cancelled on request; its worker was ended while it ran"));
    EXPECT_EQ(kind_of_failure(stuck), ErrorKind::cancelled);
    crew.succeed(crew.wait_for_order(innocent->id(), 2));
    innocent->wait();
    EXPECT_EQ(crew.workers(), (std::vector<test::FakeCrew::Role>(2, Dispatcher::Role::shared)));
    EXPECT_EQ(dispatcher->status().worker_deaths, 0U);
}

TEST_F(DispatcherTest, ForceMayComeAfterAPlainCancel) {
    start();
    const auto task = submit();
    crew.wait_for_order(task->id());
    dispatcher->cancel(task->id(), false);
    crew.wait_for_cancel(task->id());

    dispatcher->cancel(task->id(), true);
    settle();
    clock.advance(options.cancel_grace);

    EXPECT_THAT(crew.wait_for_kills(1), ElementsAre(0U));
    EXPECT_EQ(kind_of_failure(task), ErrorKind::cancelled);
}

TEST_F(DispatcherTest, WhereNothingCanBeKilledAForcedJobGoesOn) {
    crew.can_be_killed = false;
    start();
    const auto task = submit();
    const auto given = crew.wait_for_order(task->id());
    dispatcher->cancel(task->id(), true);
    crew.wait_for_cancel(task->id());
    clock.advance(options.cancel_grace);
    settle();
    EXPECT_FALSE(task->is_finished());

    crew.succeed(given);
    task->wait();
    dispatcher->stop_now();
}

TEST_F(DispatcherTest, AJobThatWaitsPastItsDeadlineNeverRuns) {
    options.threads_per_worker = 1;
    start();
    crew.wait_for_order(submit()->id());
    const auto task = submit({.deadline = 5s});

    advance_until([&] { return task->is_finished(); });

    EXPECT_EQ(failure_of(task), "[errno 125] its deadline passed before it ran");
}

TEST_F(DispatcherTest, AJobThatRunsPastItsDeadlineIsAskedThenEnded) {
    start();
    const auto task = submit({.deadline = 5s});
    crew.wait_for_order(task->id());

    clock.advance(5s);
    crew.wait_for_cancel(task->id());
    EXPECT_TRUE(crew.kills().empty());
    clock.advance(options.cancel_grace);

    EXPECT_THAT(failure_of(task), HasSubstr("its deadline passed; its worker was ended"));
}

TEST_F(DispatcherTest, AJobThatHeedsItsDeadlineSaysSo) {
    start();
    const auto task = submit({.deadline = 5s});
    const auto given = crew.wait_for_order(task->id());

    clock.advance(5s);
    crew.wait_for_cancel(task->id());
    crew.fail(given, Error(ErrorKind::cancelled, ECANCELED, "rbd", "[errno 125] half removed"));

    EXPECT_EQ(failure_of(task), "[errno 125] half removed; its deadline passed");
}

TEST_F(DispatcherTest, CancellingWhatIsUnknownDoesNothing) {
    start();

    dispatcher->cancel("unknown", true);

    settle();
}

TEST_F(DispatcherTest, TellsHowLongTheOneWaitsThatWaitsLongest) {
    options.threads_per_worker = 1;
    start();
    const auto running = submit();
    crew.wait_for_order(running->id());
    const auto first = submit();
    wait_until_queued(first);
    clock.advance(std::chrono::minutes(2));
    const auto second = submit();
    wait_until([&] { return dispatcher->status().oldest_wait == std::chrono::minutes(2); });

    crew.succeed(crew.wait_for_order(running->id()));
    crew.wait_for_order(first->id());

    wait_until([&] { return dispatcher->status().oldest_wait == std::chrono::minutes(0); });
    EXPECT_EQ(dispatcher->status().waiting, 1U);
    crew.succeed(crew.wait_for_order(first->id()));
    crew.succeed(crew.wait_for_order(second->id()));
    second->wait();
    wait_until([&] { return dispatcher->status().oldest_wait == std::chrono::minutes(0); });
    EXPECT_EQ(dispatcher->status().capacity, options.queue.capacity);
    EXPECT_EQ(dispatcher->status().worker_starts, 1U);
}

}  // namespace
}  // namespace taskd::worker
