// The cases of the Ceph dashboard's own tests/test_notification.py (16.2.15). A wrong type of `types` is a compile
// error here, so its first case has none.

#include "support/collected.hpp"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <taskd/notification_queue.hpp>

namespace taskd {
namespace {

using testing::ElementsAre;

class DashboardNotification : public testing::Test {
  protected:
    DashboardNotification() {
        a_ = add("A", {"type1"}, 90);
        b_ = add("B", {"type2"}, NotificationQueue::default_priority);
        c_ = add("C", {"type1", "type3"}, NotificationQueue::default_priority);
        d_ = add("D", {}, 50);
        // Each a second time, which must change nothing.
        queue_.register_again(a_, {"type1"}, 90);
        queue_.register_again(b_, {"type2"});
        queue_.register_again(c_, {"type1", "type3"});
        queue_.register_again(d_, {}, 50);
    }

    NotificationQueue::ListenerId add(const std::string& name, std::vector<std::string> types, int priority) {
        return queue_.register_listener(
            [this, name](const nlohmann::json& value) {
                calls_.add({name, value});
            },
            std::move(types), priority);
    }
    std::vector<int> values_of(const std::string& listener) const {
        std::vector<int> values;
        for (const auto& [name, value] : calls_.values())
            if (name == listener) values.push_back(value);
        return values;
    }
    std::string order_for(int event) const {
        std::string order;
        for (const auto& [name, value] : calls_.values())
            if (value == event) order += name;
        return order;
    }

    test::Collected<std::pair<std::string, int>> calls_;
    NotificationQueue queue_;
    NotificationQueue::ListenerId a_, b_, c_, d_;
};

TEST_F(DashboardNotification, Notifications) {
    queue_.start();
    queue_.new_notification("type1", 1);
    queue_.new_notification("type2", 2);
    queue_.new_notification("type3", 3);
    queue_.stop();

    EXPECT_THAT(values_of("A"), ElementsAre(1));
    EXPECT_THAT(values_of("B"), ElementsAre(2));
    EXPECT_THAT(values_of("C"), ElementsAre(1, 3));
    EXPECT_THAT(values_of("D"), ElementsAre(1, 2, 3));
    EXPECT_EQ(order_for(1), "CDA");
    EXPECT_EQ(order_for(2), "BD");
    EXPECT_EQ(order_for(3), "CD");
}

TEST_F(DashboardNotification, Notifications2) {
    queue_.start();
    for (int event = 0; event < 600; ++event) queue_.new_notification("type" + std::to_string(event % 3 + 1), event);
    queue_.stop();

    EXPECT_EQ(values_of("A").size(), 200U);
    EXPECT_EQ(values_of("B").size(), 200U);
    EXPECT_EQ(values_of("C").size(), 400U);
    EXPECT_EQ(values_of("D").size(), 600U);
    const auto calls = calls_.values();
    EXPECT_TRUE(
        std::is_sorted(calls.begin(), calls.end(), [](const auto& x, const auto& y) { return x.second < y.second; }));
}

TEST_F(DashboardNotification, Deregister) {
    queue_.start();
    queue_.new_notification("type1", 1);
    queue_.new_notification("type3", 3);
    queue_.stop();

    queue_.start();
    queue_.deregister(c_, {"type1"});
    queue_.new_notification("type1", 4);
    queue_.new_notification("type3", 5);
    queue_.stop();

    EXPECT_THAT(values_of("A"), ElementsAre(1, 4));
    EXPECT_THAT(values_of("C"), ElementsAre(1, 3, 5));
    EXPECT_THAT(values_of("D"), ElementsAre(1, 3, 4, 5));
}

}  // namespace
}  // namespace taskd
