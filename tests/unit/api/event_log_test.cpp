#include "api/event_log.hpp"

#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace taskd::api {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Place = EventLog::Place;

/// What lies behind a place.
std::vector<std::string> behind(const EventLog& log, Place place) {
    std::vector<std::string> found;
    while (const auto* event = log.next_behind(place)) found.push_back(event->task_id + event->data);
    return found;
}

void put(EventLog& log, std::string task_id, std::string data) {
    log.put({std::move(task_id), "rbd/create", std::move(data)});
}

TEST(EventLog, TellsWhatLiesBehindAPlaceInTheOrderOfTheChanges) {
    EventLog log(10, 1000);
    EXPECT_EQ(log.newest(), 0U);
    EXPECT_TRUE(log.is_whole_behind(0));
    put(log, "a", "1");
    const auto place = log.newest();
    put(log, "b", "1");
    put(log, "c", "1");

    EXPECT_THAT(behind(log, 0), ElementsAre("a1", "b1", "c1"));
    EXPECT_THAT(behind(log, place), ElementsAre("b1", "c1"));
    EXPECT_THAT(behind(log, log.newest()), IsEmpty());
}

TEST(EventLog, HasOneStateOfATaskTheNewest) {
    EventLog log(2, 1000);
    for (int count = 0; count < 10; ++count) {
        put(log, "a", std::to_string(count));
        put(log, "b", std::to_string(count));
    }

    EXPECT_THAT(behind(log, 0), ElementsAre("a9", "b9"));
    EXPECT_TRUE(log.is_whole_behind(0)) << "nothing was dropped that is still of use";
}

TEST(EventLog, DropsTheOldestBeyondItsLimits) {
    EventLog few(2, 1000);
    for (const auto* id : {"a", "b", "c", "d"}) put(few, id, "1");
    EXPECT_THAT(behind(few, 2), ElementsAre("c1", "d1"));
    EXPECT_FALSE(few.is_whole_behind(0));
    EXPECT_FALSE(few.is_whole_behind(1));
    EXPECT_TRUE(few.is_whole_behind(2));
    EXPECT_TRUE(few.is_whole_behind(4));

    EventLog small(100, 10);
    put(small, "a", "123456");
    put(small, "b", "123456");
    EXPECT_THAT(behind(small, 1), ElementsAre("b123456"));
    EXPECT_FALSE(small.is_whole_behind(0));
    put(small, "b", "1234567890");
    EXPECT_THAT(behind(small, 1), ElementsAre("b1234567890")) << "the older state takes no room";
}

TEST(EventLog, KnowsPlacesThatHaveNotBeenYet) {
    EventLog log(2, 1000);
    put(log, "a", "1");

    EXPECT_TRUE(log.is_whole_behind(1));
    EXPECT_FALSE(log.is_whole_behind(2));
}

TEST(EventLog, IsWholeFromABreakOn) {
    EventLog log(10, 1000);
    put(log, "a", "1");
    const auto before = log.newest();

    log.break_off();

    EXPECT_FALSE(log.is_whole_behind(before));
    EXPECT_TRUE(log.is_whole_behind(log.newest()));
    const auto after = log.newest();
    put(log, "a", "2");
    EXPECT_THAT(behind(log, after), ElementsAre("a2"));
}

}  // namespace
}  // namespace taskd::api
