#include "dispatcher_fixture.hpp"
#include "support/collected.hpp"

#include <atomic>
#include <set>

namespace taskd::worker {
namespace {

using namespace std::chrono_literals;
using Role = Dispatcher::Role;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr auto abort_text = "was killed by signal 6 (Aborted): x.cc: 1: FAILED ceph_assert(y)";

class DispatcherFailureTest : public DispatcherTest {};

TEST_F(DispatcherFailureTest, JobsOfADeadWorkerRunAgainEachAloneInQuarantine) {
    start();
    std::vector<std::shared_ptr<Task>> lost;
    for (int n = 0; n < 3; ++n) lost.push_back(submit());
    for (const auto& task : lost) crew.wait_for_order(task->id());

    crew.die(0, abort_text);

    std::set<std::size_t> workers;
    for (const auto& task : lost) {
        const auto given = crew.wait_for_order(task->id(), 2);
        workers.insert(given.worker);
        EXPECT_EQ(crew.workers()[given.worker], Role::quarantine);
        crew.succeed(given);
        task->wait();
    }
    EXPECT_EQ(workers.size(), 3U);
    EXPECT_EQ(lost[0]->status().attempts, 2);
}

TEST_F(DispatcherFailureTest, AJobThatIsToRunAgainSaysWhy) {
    start();
    const auto task = submit();
    crew.wait_for_order(task->id());
    crew.ready_at_once = false;

    crew.die(0, abort_text);

    wait_until([&] { return task->status().phase == TaskPhase::queued; });
    wait_until([&] { return !task->status().waiting_for.empty(); });
    EXPECT_THAT(task->status().waiting_for, HasSubstr("to run again: worker 0 was killed by signal 6 (Aborted)"));
}

TEST_F(DispatcherFailureTest, OnlyTheKillerFailsAfterThreeAttemptsWithTheReason) {
    start();
    const auto killer = submit();
    const auto innocent = submit();
    crew.wait_for_order(killer->id());
    crew.wait_for_order(innocent->id());

    crew.die(0, abort_text);
    crew.succeed(crew.wait_for_order(innocent->id(), 2));
    crew.die(crew.wait_for_order(killer->id(), 2).worker, abort_text);
    const auto last = crew.wait_for_order(killer->id(), 3);
    crew.die(last.worker, abort_text);

    innocent->wait();
    EXPECT_EQ(failure_of(killer), "the worker died under this task 3 times, the last time: worker " +
                                      std::to_string(last.worker) + " " + abort_text);
    EXPECT_EQ(kind_of_failure(killer), ErrorKind::internal);
    settle();
    EXPECT_EQ(dispatcher->status().worker_deaths, 3U);
    EXPECT_THAT(dispatcher->status().last_worker_end, HasSubstr("FAILED ceph_assert(y)"));
}

TEST_F(DispatcherFailureTest, QuarantineHasALimitAndTheRestWaitsForIt) {
    options.quarantine_workers = 2;
    std::atomic<bool> is_held = true;
    crew.on_order = [&](const auto& given) {
        if (!is_held) crew.succeed(given);
    };
    start();
    std::vector<std::shared_ptr<Task>> lost;
    for (int n = 0; n < 5; ++n) lost.push_back(submit());
    for (const auto& task : lost) crew.wait_for_order(task->id());

    crew.die(0);
    const auto held = crew.wait_for_orders(7);
    settle();
    EXPECT_EQ(crew.orders().size(), 8U);  // with the one of `settle`

    is_held = false;
    crew.succeed(held[5]);
    crew.succeed(held[6]);
    for (const auto& task : lost) task->wait();
    EXPECT_EQ(std::ranges::count(crew.workers(), Role::quarantine), 2);
}

TEST_F(DispatcherFailureTest, QuarantineWorkersEndWhenNobodyNeedsThem) {
    start();
    const auto task = submit();
    crew.wait_for_order(task->id());
    crew.die(0);

    crew.succeed(crew.wait_for_order(task->id(), 2));

    const auto killed = crew.wait_for_kills(1);
    EXPECT_EQ(crew.workers()[killed[0]], Role::quarantine);
    wait_until([&] { return dispatcher->status().workers_ready == 1; });
    EXPECT_EQ(dispatcher->status().worker_deaths, 1U);
}

TEST_F(DispatcherFailureTest, AQuarantineWorkerThatIsReadyTooLateIsSentAway) {
    start();
    const auto task = submit();
    crew.wait_for_order(task->id());
    crew.ready_at_once = false;
    crew.die(0);
    const auto roles = crew.wait_for_workers(3);
    dispatcher->cancel(task->id(), false);
    EXPECT_THAT(failure_of(task), HasSubstr("while it waited to run again"));

    const auto quarantine = static_cast<std::size_t>(std::ranges::find(roles, Role::quarantine) - roles.begin());
    crew.ready(quarantine);

    EXPECT_THAT(crew.wait_for_kills(1), ElementsAre(quarantine));
}

TEST_F(DispatcherFailureTest, AJobOfADeadWorkerHoldsItsImage) {
    start();
    const auto first = submit({.images = {"rbd/x"}});
    crew.wait_for_order(first->id());
    const auto second = submit({.images = {"rbd/x"}});

    crew.die(0);
    const auto again = crew.wait_for_order(first->id(), 2);
    settle();
    EXPECT_EQ(second->status().phase, TaskPhase::queued);

    crew.succeed(again);
    crew.wait_for_order(second->id());
}

TEST_F(DispatcherFailureTest, AJobThatWasCancelledDoesNotRunAgain) {
    start();
    const auto task = submit();
    const auto given = crew.wait_for_order(task->id());
    dispatcher->cancel(task->id(), false);
    crew.wait_for_cancel(task->id());

    crew.die(given.worker);

    EXPECT_EQ(kind_of_failure(task), ErrorKind::cancelled);
    EXPECT_EQ(crew.orders().size(), 1U);
}

TEST_F(DispatcherFailureTest, ADeadWorkerIsReplacedAndTheNewOneTakesJobs) {
    start();
    crew.wait_for_workers(1);

    crew.die(0);

    crew.wait_for_workers(2);
    settle();
}

TEST_F(DispatcherFailureTest, WorkersThatDieAtOnceAreReplacedAfterGrowingPauses) {
    crew.ready_at_once = false;
    start();
    crew.wait_for_workers(1);
    const auto began = std::chrono::steady_clock::now();

    for (std::size_t n = 0; n < 3; ++n) {
        crew.die(n);
        crew.wait_for_workers(n + 2);
    }

    EXPECT_GE(std::chrono::steady_clock::now() - began, 300ms);  // none, 100 ms, 200 ms
}

TEST_F(DispatcherFailureTest, AWorkerThatLivedLongIsReplacedWithoutAPause) {
    start();
    crew.wait_for_workers(1);
    settle();
    for (std::size_t n = 0; n < 10; ++n) {
        clock.advance(1h);
        crew.die(n);
        crew.wait_for_workers(n + 2);
        settle();
    }

    // With pauses it would have taken half a minute.
    SUCCEED();
}

TEST_F(DispatcherFailureTest, QuarantineWorkersThatNeverGetReadyAreReplacedAfterPausesToo) {
    start();
    const auto task = submit();
    crew.wait_for_order(task->id());
    crew.ready_at_once = false;
    crew.die(0);
    const auto roles = crew.wait_for_workers(3);
    auto quarantine = static_cast<std::size_t>(std::ranges::find(roles, Role::quarantine) - roles.begin());
    const auto began = std::chrono::steady_clock::now();

    for (std::size_t n = 3; n < 6; ++n) {
        crew.die(quarantine, "exited with code 1: no keyring");
        crew.wait_for_workers(n + 1);
        quarantine = n;
    }

    EXPECT_GE(std::chrono::steady_clock::now() - began, 300ms);
    EXPECT_FALSE(task->is_finished());
    crew.ready(quarantine);
    crew.succeed(crew.wait_for_order(task->id(), 2));
    task->wait();
}

TEST_F(DispatcherFailureTest, AFactoryThatThrowsIsTriedAgain) {
    std::atomic<int> calls = 0;
    crew.before_start = [&] {
        if (++calls < 3) throw Error(ErrorKind::internal, EAGAIN, "taskd", "start a worker process: fork: no memory");
    };
    start();
    wait_until([&] { return calls > 0; });

    settle();

    EXPECT_EQ(calls, 3);
}

TEST_F(DispatcherFailureTest, AWorkerThatDoesNotConnectInTimeIsEnded) {
    crew.ready_at_once = false;
    start();
    crew.wait_for_workers(1);

    clock.advance(options.ready_within + 1ms);

    EXPECT_EQ(crew.wait_for_kills(1).front(), 0U);
    crew.wait_for_workers(2);
}

TEST_F(DispatcherFailureTest, AFencedWorkerIsReplacedAndItsJobsGoOn) {
    start();
    const auto task = submit();
    const auto other = submit();
    const auto given = crew.wait_for_order(task->id());
    crew.wait_for_order(other->id());

    crew.fail(given, Error(ErrorKind::refused, ESHUTDOWN, "rbd", "[errno 108] blocklisted"));

    for (const auto& lost : {task, other}) {
        const auto again = crew.wait_for_order(lost->id(), 2);
        EXPECT_EQ(crew.workers()[again.worker], Role::shared);
        crew.succeed(again);
        lost->wait();
    }
    EXPECT_EQ(dispatcher->status().worker_deaths, 0U);
}

TEST_F(DispatcherFailureTest, DeathsCountButEndsByForceDoNot) {
    options.most_attempts = 2;
    start();
    const auto task = submit();
    crew.wait_for_order(task->id());
    for (int attempt = 2; attempt < 6; ++attempt) {
        const auto stuck = submit();
        crew.wait_for_order(stuck->id());
        dispatcher->cancel(stuck->id(), true);
        crew.wait_for_cancel(stuck->id());
        clock.advance(options.cancel_grace + 20s);
        failure_of(stuck);
        crew.wait_for_order(task->id(), attempt);
    }

    EXPECT_FALSE(task->is_finished());
}

// --- fencing

/// Keeps what the dispatcher wants fenced until the test says that it is.
struct Fence {
    using Outcome = DispatcherOptions::Fence;
    std::function<void(std::string address, std::function<void(Outcome)> fenced)> function() {
        return [this](std::string address, std::function<void(Outcome)> fenced) {
            wanted.add({std::move(address), std::move(fenced)});
        };
    }
    test::Collected<std::pair<std::string, std::function<void(Outcome)>>> wanted;
};

TEST_F(DispatcherFailureTest, JobsOfADeadWorkerRunAgainOnlyWhenItIsFenced) {
    Fence fence;
    options.fence_worker = fence.function();
    start();
    const auto task = submit();
    crew.wait_for_order(task->id());

    crew.die(0);
    const auto [address, fenced] = fence.wanted.wait_for(1)[0];
    settle();
    EXPECT_EQ(address, "10.0.0.1:0/0");
    EXPECT_EQ(crew.orders().size(), 2U);

    fenced(Fence::Outcome::settled);
    crew.wait_for_order(task->id(), 2);
}

TEST_F(DispatcherFailureTest, AFenceThatNobodyAnsweredIsAskedForAgainAndAwaited) {
    Fence fence;
    options.fence_worker = fence.function();
    start();
    const auto task = submit();
    crew.wait_for_order(task->id());
    crew.die(0);
    const auto unanswered = fence.wanted.wait_for(1)[0].second;

    unanswered(Fence::Outcome::unanswered);
    settle();
    EXPECT_EQ(task->status().phase, TaskPhase::queued);
    EXPECT_EQ(task->status().waiting_for, "its worker, which ended, to be fenced");
    EXPECT_EQ(fence.wanted.size(), 1U);
    EXPECT_EQ(crew.orders().size(), 2U);

    advance_until([&] { return fence.wanted.size() == 2U; });
    const auto [address, fenced] = fence.wanted.wait_for(2)[1];
    EXPECT_EQ(address, "10.0.0.1:0/0");
    fenced(Fence::Outcome::settled);
    crew.wait_for_order(task->id(), 2);
}

TEST_F(DispatcherFailureTest, JobsThatAwaitAFenceKeepNobodyFromRunning) {
    Fence fence;
    options.fence_worker = fence.function();
    options.threads_per_worker = 1;
    start();
    const auto task = submit();
    crew.wait_for_order(task->id());
    crew.die(0);
    fence.wanted.wait_for(1);

    settle();  // another job runs in the new worker

    EXPECT_EQ(crew.orders().size(), 2U);
}

TEST_F(DispatcherFailureTest, AnIdleWorkerNeedNotBeFenced) {
    Fence fence;
    options.fence_worker = fence.function();
    start();
    settle();

    crew.die(0);

    crew.wait_for_workers(2);
    settle();
    EXPECT_EQ(fence.wanted.size(), 0U);
}

TEST_F(DispatcherFailureTest, AJobMayBeCancelledWhileItsWorkerIsFenced) {
    Fence fence;
    options.fence_worker = fence.function();
    start();
    const auto task = submit();
    crew.wait_for_order(task->id());
    crew.die(0);
    const auto fenced = fence.wanted.wait_for(1)[0].second;

    dispatcher->cancel(task->id(), false);
    EXPECT_THAT(failure_of(task), HasSubstr("what it had done so far stays"));

    fenced(Fence::Outcome::settled);
    settle();
    EXPECT_EQ(crew.orders().size(), 2U);
}

TEST_F(DispatcherFailureTest, AFenceThatComesAfterTheEndDoesNoHarm) {
    Fence fence;
    options.fence_worker = fence.function();
    start();
    const auto task = submit();
    crew.wait_for_order(task->id());
    crew.die(0);
    const auto fenced = fence.wanted.wait_for(1)[0].second;
    dispatcher.reset();

    fenced(Fence::Outcome::settled);

    EXPECT_FALSE(task->is_finished());
}

// --- addresses to fence by

TEST_F(DispatcherFailureTest, AddressesOfReadyWorkersAreKnown) {
    options.workers = 2;
    start();

    wait_until([&] { return dispatcher->status().workers_ready == 2; });

    EXPECT_THAT(dispatcher->worker_addresses(), ElementsAre("10.0.0.1:0/0", "10.0.0.1:0/1"));
}

TEST_F(DispatcherFailureTest, AWorkerGetsNoJobBeforeItsAddressIsOnRecord) {
    std::atomic<bool> asked = false;
    std::function<void()> recorded;
    options.record_workers = [&](const std::vector<std::string>& addresses, std::function<void()> done) {
        EXPECT_THAT(addresses, ElementsAre("10.0.0.1:0/0"));
        recorded = std::move(done);
        asked = true;
    };
    start();
    const auto task = submit();
    wait_until([&] { return asked.load(); });
    wait_until([&] { return dispatcher->status().waiting == 1; });
    EXPECT_TRUE(crew.orders().empty());

    recorded();

    crew.wait_for_order(task->id());
}

TEST_F(DispatcherFailureTest, ARecordOfADeadWorkerDoesNotOpenItsSuccessor) {
    std::vector<std::function<void()>> recorded;
    std::atomic<std::size_t> asked = 0;
    options.record_workers = [&](const std::vector<std::string>&, std::function<void()> done) {
        recorded.push_back(std::move(done));
        asked = recorded.size();
    };
    start();
    const auto task = submit();
    wait_until([&] { return asked == 1; });
    crew.die(0);
    wait_until([&] { return asked == 2; });

    recorded[0]();
    recorded[1]();

    EXPECT_EQ(crew.wait_for_order(task->id()).worker, 1U);
}

TEST_F(DispatcherFailureTest, ARecordThatComesAfterTheEndDoesNoHarm) {
    std::function<void()> recorded;
    std::atomic<bool> asked = false;
    options.record_workers = [&](const std::vector<std::string>&, std::function<void()> done) {
        recorded = std::move(done);
        asked = true;
    };
    start();
    wait_until([&] { return asked.load(); });
    dispatcher.reset();

    recorded();
}

}  // namespace
}  // namespace taskd::worker
