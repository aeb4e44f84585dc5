#include "core/task_id.hpp"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace taskd {
namespace {

using namespace std::chrono_literals;

constexpr WallTime id_moment{std::chrono::milliseconds(1'469'922'850'259)};

TEST(TaskId, Is26CharactersOfCrockfordsBase32) {
    EXPECT_THAT(make_task_id(id_moment), testing::MatchesRegex("[0-9A-HJKMNP-TV-Z]{26}"));
}

TEST(TaskId, BeginsWithTheTimeAsTheUlidSpecificationHasIt) {
    EXPECT_EQ(make_task_id(id_moment).substr(0, 10), "01ARZ3NDEK");
}

TEST(TaskId, SortsByTime) {
    std::string before;
    for (int millisecond = 0; millisecond < 3000; ++millisecond) {
        const std::string id = make_task_id(id_moment + millisecond * 1ms);
        ASSERT_LT(before, id);
        before = id;
    }
}

TEST(TaskId, SortsWithinAMillisecond) {
    std::string before;
    for (int n = 0; n < 3000; ++n) {
        const std::string id = make_task_id(id_moment);
        ASSERT_LT(before, id);
        before = id;
    }
}

TEST(TaskId, IsUniqueWithinAMillisecond) {
    std::set<std::string> ids;
    for (int n = 0; n < 10'000; ++n) ids.insert(make_task_id(id_moment));

    EXPECT_EQ(ids.size(), 10'000U);
}

}  // namespace
}  // namespace taskd
