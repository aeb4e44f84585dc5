#include "support/blocker.hpp"
#include "support/collected.hpp"

#include <atomic>
#include <optional>
#include <stdexcept>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <taskd/error.hpp>
#include <taskd/notification_queue.hpp>

namespace taskd {
namespace {

using nlohmann::json;
using testing::ElementsAre;

class NotificationQueueTest : public testing::Test {
  protected:
    NotificationQueue::Listener recorder(const std::string& name = "") {
        return [this, name](const json& value) { calls_.add(name + value.dump()); };
    }

    test::Collected<std::string> calls_;
    NotificationQueue queue_;
};

TEST_F(NotificationQueueTest, AListenerThatThrowsHarmsNobody) {
    queue_.register_listener([](const json&) { throw std::runtime_error("boom"); }, {}, 0);
    queue_.register_listener([](const json&) { throw 5; }, {}, 0);
    queue_.register_listener(recorder());

    queue_.start();
    queue_.new_notification("a", 1);
    queue_.new_notification("a", 2);
    queue_.stop();

    EXPECT_THAT(calls_.values(), ElementsAre("1", "2"));
}

TEST_F(NotificationQueueTest, AListenerMayDeregisterItself) {
    std::optional<NotificationQueue::ListenerId> id;
    id = queue_.register_listener([&](const json& value) {
        calls_.add(value.dump());
        queue_.deregister(*id);
    });

    queue_.start();
    queue_.new_notification("a", 1);
    queue_.new_notification("a", 2);
    queue_.stop();

    EXPECT_THAT(calls_.values(), ElementsAre("1"));
}

TEST_F(NotificationQueueTest, AListenerMayRegisterAnotherWhichGetsTheNextOne) {
    std::once_flag once;
    queue_.register_listener([&](const json&) { std::call_once(once, [&] { queue_.register_listener(recorder()); }); });

    queue_.start();
    queue_.new_notification("a", 1);
    queue_.new_notification("a", 2);
    queue_.stop();

    EXPECT_THAT(calls_.values(), ElementsAre("2"));
}

TEST_F(NotificationQueueTest, AListenerMayPostWhichIsDeliveredBeforeStopReturns) {
    queue_.register_listener(
        [&](const json& value) {
            if (value.get<int>() < 100) queue_.new_notification("a", value.get<int>() + 1);
        },
        {"a"});
    queue_.register_listener(recorder());

    queue_.start();
    queue_.new_notification("a", 1);
    queue_.stop();

    EXPECT_EQ(calls_.size(), 100U);
}

TEST_F(NotificationQueueTest, WhatWasPostedBeforeStartIsDeliveredAfterIt) {
    queue_.register_listener(recorder());
    queue_.new_notification("a", 1);
    EXPECT_EQ(calls_.size(), 0U);

    queue_.start();
    queue_.stop();

    EXPECT_THAT(calls_.values(), ElementsAre("1"));
}

TEST_F(NotificationQueueTest, StoppingTwiceOrUnstartedAndStartingTwiceDoNothing) {
    queue_.register_listener(recorder());
    queue_.stop();
    queue_.start();
    queue_.start();
    queue_.new_notification("a", 1);
    queue_.stop();
    queue_.stop();

    EXPECT_THAT(calls_.values(), ElementsAre("1"));
}

TEST_F(NotificationQueueTest, StopByAListenerIsRefused) {
    queue_.register_listener([&](const json&) {
        EXPECT_THROW(queue_.stop(), std::logic_error);
        queue_.start();
        calls_.add("called");
    });

    queue_.start();
    queue_.new_notification("a", 1);
    queue_.stop();

    EXPECT_EQ(calls_.size(), 1U);
}

TEST_F(NotificationQueueTest, StartsAndStopsMayRace) {
    queue_.register_listener(recorder());
    {
        std::vector<std::jthread> threads;
        for (int n = 0; n < 4; ++n)
            threads.emplace_back([&] {
                for (int round = 0; round < 100; ++round) {
                    queue_.start();
                    queue_.new_notification("a", round);
                    queue_.stop();
                }
            });
    }
    queue_.start();
    queue_.stop();

    EXPECT_EQ(calls_.size(), 400U);
}

TEST_F(NotificationQueueTest, WhoRegisteredForAllAndForOneTypeIsCalledOnceAtTheLowerNumber) {
    const auto both = queue_.register_listener(recorder("both"), {}, 50);
    queue_.register_listener(recorder("middle"), {}, 20);
    queue_.register_again(both, {"a"}, 10);

    queue_.start();
    queue_.new_notification("a", 1);
    queue_.new_notification("b", 2);
    queue_.stop();

    EXPECT_THAT(calls_.values(), ElementsAre("both1", "middle1", "middle2", "both2"));
}

TEST_F(NotificationQueueTest, EqualPrioritiesGoByRegistration) {
    for (const char* name : {"x", "a", "m"}) queue_.register_listener(recorder(name), {"t"});

    queue_.start();
    queue_.new_notification("t", 1);
    queue_.stop();

    EXPECT_THAT(calls_.values(), ElementsAre("x1", "a1", "m1"));
}

TEST_F(NotificationQueueTest, DeregisterWithoutTypesEndsAll) {
    const auto id = queue_.register_listener(recorder(), {"a", "b"});
    queue_.deregister(id);
    queue_.deregister(id);
    queue_.deregister(4711);

    queue_.start();
    queue_.new_notification("a", 1);
    queue_.new_notification("b", 1);
    queue_.stop();

    EXPECT_EQ(calls_.size(), 0U);
}

TEST_F(NotificationQueueTest, RegisterAgainOfAnUnknownIdIsIgnored) {
    queue_.register_again(4711, {"a"});

    EXPECT_FALSE(queue_.has_listener("a"));
}

TEST_F(NotificationQueueTest, HasListenerKnowsTypesAndAll) {
    EXPECT_FALSE(queue_.has_listener("a"));
    const auto one = queue_.register_listener(recorder(), {"a"});
    EXPECT_TRUE(queue_.has_listener("a"));
    EXPECT_FALSE(queue_.has_listener("b"));
    const auto all = queue_.register_listener(recorder());
    EXPECT_TRUE(queue_.has_listener("b"));
    queue_.deregister(one);
    queue_.deregister(all);
    EXPECT_FALSE(queue_.has_listener("a"));
}

TEST_F(NotificationQueueTest, PostsFromManyThreadsAreAllDeliveredInEachThreadsOrder) {
    test::Collected<std::pair<int, int>> got;
    queue_.register_listener([&](const json& value) { got.add({value[0], value[1]}); });
    queue_.start();
    {
        std::vector<std::jthread> threads;
        for (int thread = 0; thread < 4; ++thread)
            threads.emplace_back([&, thread] {
                for (int n = 0; n < 500; ++n) queue_.new_notification("a", {thread, n});
            });
    }
    queue_.stop();

    std::array<int, 4> next{};
    for (const auto& [thread, n] : got.values()) ASSERT_EQ(n, next.at(static_cast<std::size_t>(thread))++);
    EXPECT_THAT(next, testing::Each(500));
}

TEST(NotificationQueueCapacity, BeyondItPostsAreRefused) {
    NotificationQueue queue(2);
    queue.new_notification("a", 1);
    queue.new_notification("a", 2);

    EXPECT_THROW(queue.new_notification("a", 3), QueueFull);
}

TEST(NotificationQueueLifetime, TheDestructorDelivers) {
    test::Collected<int> calls;
    {
        NotificationQueue queue;
        queue.register_listener([&](const json& value) { calls.add(value); });
        queue.start();
        for (int n = 0; n < 100; ++n) queue.new_notification("a", n);
    }
    EXPECT_EQ(calls.size(), 100U);
}

}  // namespace
}  // namespace taskd
