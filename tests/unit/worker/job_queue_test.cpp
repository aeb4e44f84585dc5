#include "worker/job_queue.hpp"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <taskd/error.hpp>

namespace taskd::worker {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

constexpr SteadyTime start_of_test{std::chrono::hours(1)};

QueuedJob job(std::string id, std::vector<std::string> images = {}, std::string pool = "rbd") {
    return {std::move(id), std::move(pool), std::move(images), Priority::normal, false};
}

QueuedJob prioritised(std::string id, Priority priority) {
    return {std::move(id), "rbd", {}, priority, false};
}

QueuedJob heavy(std::string id, std::string pool = "rbd") {
    return {std::move(id), std::move(pool), {}, Priority::normal, true};
}

/// Everything that may start at that moment, in its order.
std::vector<std::string> startable(JobQueue& queue, SteadyTime now = start_of_test) {
    std::vector<std::string> ids;
    while (auto id = queue.next(now)) ids.push_back(*std::move(id));
    return ids;
}

template <class... Jobs>
void push(JobQueue& queue, Jobs... jobs) {
    (queue.push(std::move(jobs), start_of_test), ...);
}

TEST(JobQueue, StartsJobsInTheOrderGiven) {
    JobQueue queue({});
    push(queue, job("a"), job("b"), job("c"));

    EXPECT_THAT(startable(queue), ElementsAre("a", "b", "c"));
}

TEST(JobQueue, CountsWhatWaitsAndWhatRuns) {
    JobQueue queue({});
    push(queue, job("a"), job("b"));
    queue.next(start_of_test);

    EXPECT_EQ(queue.waiting(), 1U);
    EXPECT_EQ(queue.running(), 1U);

    queue.done("a");

    EXPECT_EQ(queue.running(), 0U);
}

// --- images

TEST(JobQueue, JobsOfOneImageRunOneAfterTheOther) {
    JobQueue queue({});
    push(queue, job("a", {"rbd/x"}), job("b", {"rbd/x"}), job("c", {"rbd/x"}), job("other", {"rbd/y"}));

    EXPECT_THAT(startable(queue), ElementsAre("a", "other"));
    queue.done("a");
    EXPECT_THAT(startable(queue), ElementsAre("b"));
    queue.done("b");
    EXPECT_THAT(startable(queue), ElementsAre("c"));
}

TEST(JobQueue, PriorityNeverOvertakesOnOneImage) {
    JobQueue queue({});
    auto urgent = job("urgent", {"rbd/x"});
    urgent.priority = Priority::high;
    push(queue, job("first", {"rbd/x"}), urgent);

    EXPECT_THAT(startable(queue), ElementsAre("first"));
}

TEST(JobQueue, AJobOfTwoImagesWaitsForBothAndHoldsBoth) {
    JobQueue queue({});
    push(queue, job("x", {"rbd/x"}), job("y", {"rbd/y"}), job("both", {"rbd/x", "rbd/y"}), job("after", {"rbd/y"}));

    EXPECT_THAT(startable(queue), ElementsAre("x", "y"));
    queue.done("x");
    EXPECT_THAT(startable(queue), IsEmpty());
    queue.done("y");
    EXPECT_THAT(startable(queue), ElementsAre("both"));
    queue.done("both");
    EXPECT_THAT(startable(queue), ElementsAre("after"));
}

TEST(JobQueue, TwoJobsThatNameTheirImagesInOppositeOrderDoNotBlockEachOther) {
    JobQueue queue({});
    push(queue, job("a", {"rbd/x", "rbd/y"}), job("b", {"rbd/y", "rbd/x"}));

    EXPECT_THAT(startable(queue), ElementsAre("a"));
    queue.done("a");
    EXPECT_THAT(startable(queue), ElementsAre("b"));
}

TEST(JobQueue, AnImageNamedTwiceByOneJobIsHeldOnce) {
    JobQueue queue({});
    push(queue, job("a", {"rbd/x", "rbd/x"}), job("b", {"rbd/x"}));

    EXPECT_THAT(startable(queue), ElementsAre("a"));
    queue.done("a");
    EXPECT_THAT(startable(queue), ElementsAre("b"));
}

TEST(JobQueue, AJobWithoutASlotStillHoldsItsImages) {
    JobQueue queue({.slots = 1});
    push(queue, job("lost", {"rbd/x"}), job("same", {"rbd/x"}), job("other", {"rbd/y"}));
    queue.next(start_of_test);

    queue.release_slot("lost");

    EXPECT_EQ(queue.running(), 0U);
    EXPECT_THAT(startable(queue), ElementsAre("other"));
    queue.done("other");
    queue.done("lost");
    EXPECT_THAT(startable(queue), ElementsAre("same"));
}

TEST(JobQueue, ASlotIsReleasedOnce) {
    JobQueue queue({});
    push(queue, job("a"), job("b"));
    startable(queue);

    queue.release_slot("a");
    queue.release_slot("a");
    queue.done("a");

    EXPECT_EQ(queue.running(), 1U);
}

// --- limits

TEST(JobQueue, RunsNoMoreThanItsSlots) {
    JobQueue queue({.slots = 2});
    push(queue, job("a"), job("b"), job("c"));

    EXPECT_THAT(startable(queue), ElementsAre("a", "b"));
    queue.done("b");
    EXPECT_THAT(startable(queue), ElementsAre("c"));
}

TEST(JobQueue, StartsNothingWithoutSlotsAndGoesOnWhenThereAreSome) {
    JobQueue queue({.slots = 0});
    push(queue, job("a"));

    EXPECT_THAT(startable(queue), IsEmpty());
    queue.set_slots(1);
    EXPECT_THAT(startable(queue), ElementsAre("a"));
}

TEST(JobQueue, APoolAtItsLimitLeavesTheSlotsToOthers) {
    JobQueue queue({.slots = 10, .per_pool = 2});
    push(queue, job("a1", {}, "a"), job("a2", {}, "a"), job("a3", {}, "a"), job("b1", {}, "b"));

    EXPECT_THAT(startable(queue), ElementsAre("a1", "b1", "a2"));
    queue.done("a1");
    EXPECT_THAT(startable(queue), ElementsAre("a3"));
}

TEST(JobQueue, PoolsTakeTurns) {
    JobQueue queue({});
    push(queue, job("a1", {}, "a"), job("a2", {}, "a"), job("a3", {}, "a"), job("b1", {}, "b"), job("b2", {}, "b"),
         job("c1", {}, "c"));

    EXPECT_THAT(startable(queue), ElementsAre("a1", "b1", "c1", "a2", "b2", "a3"));
}

TEST(JobQueue, APoolThatIsBusyDoesNotLoseItsTurnForGood) {
    JobQueue queue({.slots = 1});
    push(queue, job("a1", {}, "a"), job("a2", {}, "a"), job("b1", {}, "b"), job("b2", {}, "b"));

    std::vector<std::string> order;
    while (auto id = queue.next(start_of_test)) {
        order.push_back(*id);
        queue.done(*id);
    }

    EXPECT_THAT(order, ElementsAre("a1", "b1", "a2", "b2"));
}

TEST(JobQueue, RefusesMoreThanItsCapacity) {
    JobQueue queue({.capacity = 2});
    push(queue, job("a"), job("b"));

    EXPECT_THROW(push(queue, job("c")), QueueFull);
    EXPECT_EQ(queue.waiting(), 2U);
}

TEST(JobQueue, RunningJobsDoNotCountAgainstTheCapacity) {
    JobQueue queue({.capacity = 1});
    push(queue, job("a"));
    startable(queue);

    EXPECT_NO_THROW(push(queue, job("b")));
}

// --- priorities

TEST(JobQueue, HigherPriorityStartsFirst) {
    JobQueue queue({});
    push(queue, prioritised("low", Priority::low), prioritised("normal", Priority::normal),
         prioritised("high", Priority::high));

    EXPECT_THAT(startable(queue), ElementsAre("high", "normal", "low"));
}

TEST(JobQueue, AJobThatWaitedOneAgeingTimeGoesBeforeANewOneOfTheNextPriority) {
    JobQueue queue({.ageing = 30s});
    queue.push(prioritised("old low", Priority::low), start_of_test);
    queue.push(prioritised("new normal", Priority::normal), start_of_test + 30s);
    queue.push(prioritised("new high", Priority::high), start_of_test + 30s);

    EXPECT_THAT(startable(queue, start_of_test + 30s), ElementsAre("new high", "old low", "new normal"));
}

TEST(JobQueue, NothingStarvesBehindAStreamOfHighPriority) {
    JobQueue queue({.slots = 1, .ageing = 30s});
    auto now = start_of_test;
    queue.push(prioritised("low", Priority::low), now);

    for (int n = 0; n < 100; ++n, now += 1s) {
        queue.push(prioritised("high " + std::to_string(n), Priority::high), now);
        const auto id = queue.next(now);
        ASSERT_TRUE(id);
        queue.done(*id);
        if (*id == "low") break;
    }

    EXPECT_EQ(now, start_of_test + 60s);
}

TEST(JobQueue, PrioritiesHaveNames) {
    for (const auto* name : {"high", "normal", "low"}) EXPECT_EQ(to_string(priority_from(name)), name);
    EXPECT_THROW(priority_from("urgent"), BadRequest);
    EXPECT_THROW(priority_from(""), BadRequest);
}

// --- heavy jobs

TEST(JobQueue, HeavyJobsLeaveAQuarterOfTheSlots) {
    JobQueue queue({.slots = 8, .per_pool = 100});
    for (int n = 0; n < 8; ++n) push(queue, heavy("heavy " + std::to_string(n)));
    push(queue, job("light 1"), job("light 2"));

    const auto started = startable(queue);

    EXPECT_EQ(started.size(), 8U);
    EXPECT_THAT(started, ::testing::IsSupersetOf({"light 1", "light 2"}));
}

TEST(JobQueue, HeavyJobsLeaveASlotOfTheirPool) {
    JobQueue queue({.slots = 100, .per_pool = 2});
    push(queue, heavy("heavy 1"), heavy("heavy 2"), job("light"));

    EXPECT_THAT(startable(queue), ElementsAre("heavy 1", "light"));
}

TEST(JobQueue, AHeavyJobThatMayNotStartHidesNoLightOneBehindIt) {
    JobQueue queue({.slots = 4, .per_pool = 100});
    push(queue, heavy("h1"), heavy("h2"), heavy("h3"), heavy("h4"), job("light"));

    EXPECT_THAT(startable(queue), ElementsAre("h1", "h2", "h3", "light"));
}

TEST(JobQueue, AHeavyJobThatEndsMakesRoomForTheNext) {
    JobQueue queue({.slots = 4, .per_pool = 2});
    push(queue, heavy("h1"), heavy("h2"));
    startable(queue);

    queue.done("h1");

    EXPECT_THAT(startable(queue), ElementsAre("h2"));
}

TEST(JobQueue, AHeavyJobRunsEvenWhereThereIsOnlyOneSlot) {
    JobQueue queue({.slots = 1, .per_pool = 1});
    push(queue, heavy("heavy"));

    EXPECT_THAT(startable(queue), ElementsAre("heavy"));
}

// --- taking back

TEST(JobQueue, AReadyJobCanBeTakenBack) {
    JobQueue queue({.slots = 1});
    push(queue, job("a"), job("b"));
    startable(queue);

    EXPECT_TRUE(queue.remove_waiting("b"));

    EXPECT_EQ(queue.waiting(), 0U);
    queue.done("a");
    EXPECT_THAT(startable(queue), IsEmpty());
}

TEST(JobQueue, ABlockedJobThatIsTakenBackUnblocksWhatIsBehindIt) {
    JobQueue queue({});
    push(queue, job("x", {"rbd/x"}), job("both", {"rbd/x", "rbd/y"}), job("y", {"rbd/y"}));
    EXPECT_THAT(startable(queue), ElementsAre("x"));

    EXPECT_TRUE(queue.remove_waiting("both"));

    EXPECT_THAT(startable(queue), ElementsAre("y"));
}

TEST(JobQueue, ARunningOrUnknownJobCannotBeTakenBack) {
    JobQueue queue({});
    push(queue, job("a"));
    startable(queue);

    EXPECT_FALSE(queue.remove_waiting("a"));
    EXPECT_FALSE(queue.remove_waiting("unknown"));
    queue.release_slot("a");
    EXPECT_FALSE(queue.remove_waiting("a"));
}

TEST(JobQueue, TheEndOfAnUnknownJobChangesNothing) {
    JobQueue queue({});
    push(queue, job("a", {"rbd/x"}));

    queue.done("unknown");
    queue.release_slot("unknown");

    EXPECT_THAT(startable(queue), ElementsAre("a"));
}

// --- why it waits

TEST(JobQueue, TellsWhichTaskOnWhichImageIsBefore) {
    JobQueue queue({});
    push(queue, job("a", {"rbd/x"}), job("b", {"rbd/x"}), job("c", {"rbd/x"}));

    EXPECT_EQ(queue.waits_for("b"), "task a on image rbd/x");
    EXPECT_EQ(queue.waits_for("c"), "task a on image rbd/x");
}

TEST(JobQueue, TellsOfThePoolsLimit) {
    JobQueue queue({.slots = 10, .per_pool = 1});
    push(queue, job("a"), job("b"));
    startable(queue);

    EXPECT_EQ(queue.waits_for("b"), "the limit of 1 tasks of pool rbd");
}

TEST(JobQueue, TellsOfTheSlots) {
    JobQueue queue({.slots = 1});
    push(queue, job("a"), job("b"));
    startable(queue);

    EXPECT_EQ(queue.waits_for("b"), "a free slot");
}

TEST(JobQueue, WhatDoesNotWaitWaitsForNothing) {
    JobQueue queue({});
    push(queue, job("a"));
    startable(queue);

    EXPECT_EQ(queue.waits_for("a"), "");
    EXPECT_EQ(queue.waits_for("unknown"), "");
}

TEST(JobQueue, OneThatWaitedForItsImageKeepsItsPlace) {
    JobQueue queue({.slots = 1});
    push(queue, job("first", {"rbd/x"}), job("second", {"rbd/x"}), job("other"));
    queue.next(start_of_test);

    queue.done("first");

    EXPECT_EQ(queue.next(start_of_test), "second");
}

// --- whose turn it is

std::map<std::string, std::size_t> positions(const JobQueue& queue, SteadyTime now = start_of_test) {
    std::map<std::string, std::size_t> positions;
    for (const auto& turn : queue.turns(now)) positions[*turn.id] = turn.position;
    return positions;
}

TEST(JobQueueTurns, AreCountedForEachPool) {
    JobQueue queue({.slots = 1});
    push(queue, job("running"));
    queue.next(start_of_test);
    push(queue, job("a"), job("b"), job("x", {}, "other"), job("c"));

    EXPECT_THAT(positions(queue), UnorderedElementsAre(Pair("a", 1), Pair("b", 2), Pair("c", 3), Pair("x", 1)));
}

TEST(JobQueueTurns, FollowPriorityAsWhatAJobWaitedLiftsIt) {
    JobQueue queue({.slots = 0, .ageing = 30s});
    queue.push(prioritised("low", Priority::low), start_of_test);
    queue.push(prioritised("normal", Priority::normal), start_of_test + 30s);
    queue.push(prioritised("high", Priority::high), start_of_test + 30s);

    EXPECT_THAT(positions(queue, start_of_test + 30s),
                UnorderedElementsAre(Pair("high", 1), Pair("low", 2), Pair("normal", 3)));

    // And so they start.
    queue.set_slots(3);
    EXPECT_THAT(startable(queue, start_of_test + 30s), ElementsAre("high", "low", "normal"));
}

TEST(JobQueueTurns, CountThoseThatWaitForTheirImage) {
    JobQueue queue({});
    push(queue, job("first", {"rbd/x"}), job("second", {"rbd/x"}), job("third", {"rbd/x"}));
    queue.next(start_of_test);

    EXPECT_THAT(positions(queue), UnorderedElementsAre(Pair("second", 1), Pair("third", 2)));
}

}  // namespace
}  // namespace taskd::worker
