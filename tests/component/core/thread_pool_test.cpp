#include "support/blocker.hpp"
#include "support/collected.hpp"

#include <array>
#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <taskd/error.hpp>
#include <taskd/executor.hpp>

namespace taskd {
namespace {

using test::Blocker;

TEST(ThreadPool, RunsEveryJobBeforeItEnds) {
    test::Collected<int> ran;
    {
        ThreadPool pool("pool", 4, 1000);
        for (int n = 0; n < 1000; ++n) pool.post([&, n] { ran.add(n); });
    }
    EXPECT_EQ(ran.size(), 1000U);
}

TEST(ThreadPool, RunsWhatItsJobsPostBeforeItEnds) {
    test::Collected<int> ran;
    ThreadPool pool("pool", 2, 1000);
    pool.post([&] {
        ran.add(1);
        pool.post([&] {
            ran.add(2);
            pool.post([&] { ran.add(3); });
        });
    });
    pool.join();

    EXPECT_EQ(ran.size(), 3U);
}

TEST(ThreadPool, ItsThreadsHaveNames) {
    test::Collected<std::string> names;
    ThreadPool pool("taskd-a-long", 1, 10);
    pool.post([&] {
        std::array<char, 16> name{};
        pthread_getname_np(pthread_self(), name.data(), name.size());
        names.add(name.data());
    });
    pool.join();

    EXPECT_THAT(names.values(), testing::ElementsAre("taskd-a-long-0"));
}

TEST(ThreadPool, RefusesMoreThanItsCapacity) {
    Blocker blocker;
    ThreadPool pool("pool", 1, 2);
    pool.post([&] { blocker.block(); });
    blocker.wait_until_blocked();  // runs, so it waits no longer
    pool.post([] {});
    pool.post([] {});

    EXPECT_THROW(pool.post([] {}), QueueFull);

    blocker.release();
    pool.join();
}

TEST(ThreadPool, TakesJobsAgainOnceThereIsRoom) {
    Blocker first;
    Blocker second;
    ThreadPool pool("pool", 1, 1);
    pool.post([&] { first.block(); });
    first.wait_until_blocked();
    pool.post([&] { second.block(); });
    EXPECT_THROW(pool.post([] {}), QueueFull);
    first.release();
    second.wait_until_blocked();

    EXPECT_NO_THROW(pool.post([] {}));

    second.release();
}

TEST(ThreadPool, AJobThatThrowsHarmsNobody) {
    test::Collected<int> ran;
    ThreadPool pool("pool", 1, 10);
    pool.post([] { throw std::runtime_error("boom"); });
    pool.post([] { throw 5; });
    pool.post([&] { ran.add(1); });
    pool.join();

    EXPECT_EQ(ran.size(), 1U);
}

TEST(ThreadPool, RefusesJobsAfterJoin) {
    ThreadPool pool("pool", 1, 10);
    pool.join();

    try {
        pool.post([] {});
        FAIL() << "taken, though nobody would run it";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::unavailable);
    }
    pool.join();
}

TEST(ThreadPool, NeedsAThread) {
    EXPECT_THROW(ThreadPool("pool", 0, 10), std::invalid_argument);
}

TEST(ThreadPool, TellsHowManyThreadsItHas) {
    EXPECT_EQ(ThreadPool("pool", 3, 10).threads(), 3U);
}

}  // namespace
}  // namespace taskd
