#include "daemon/restored_list.hpp"

#include <gmock/gmock.h>

namespace taskd::daemon {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

const WallTime noon = parse_utc("2026-11-25T12:00:00.000000Z");

ceph::KeptTask ended(const std::string& id, std::chrono::seconds ago) {
    const auto end_time = format_utc(noon - ago);
    return {id, end_time,
            ceph::encode_finished(id, {{"name", "rbd/delete"},
                                       {"metadata", nlohmann::json::object()},
                                       {"begin_time", end_time},
                                       {"end_time", end_time},
                                       {"duration", 1},
                                       {"progress", 100},
                                       {"success", true},
                                       {"ret_value", nullptr},
                                       {"exception", nullptr}})};
}

ceph::KeptTask unreadable(std::chrono::seconds ago) {
    return {"odd", format_utc(noon - ago), R"({"version": 99})"};
}

std::vector<std::string> ids(const std::vector<ceph::KeptTask>& kept, const Retention& retention) {
    std::vector<std::string> all;
    for (const auto& record : still_listed(kept, retention, noon)) all.push_back(record.id);
    return all;
}

TEST(StillListed, AreTheYoungAndTheLast) {
    const std::vector<ceph::KeptTask> kept{ended("a", 300s), ended("b", 200s), ended("c", 61s), ended("d", 60s),
                                           ended("e", 1s)};

    EXPECT_THAT(ids(kept, {.ttl = 60s, .keep = 0}), ElementsAre("d", "e"));
    EXPECT_THAT(ids(kept, {.ttl = 60s, .keep = 1}), ElementsAre("d", "e"));
    EXPECT_THAT(ids(kept, {.ttl = 60s, .keep = 4}), ElementsAre("b", "c", "d", "e"));
    EXPECT_THAT(ids(kept, {.ttl = 60s, .keep = 9}), ElementsAre("a", "b", "c", "d", "e"));
}

TEST(StillListed, AreNeverMoreThanMayBeListed) {
    const std::vector<ceph::KeptTask> kept{ended("a", 3s), ended("b", 2s), ended("c", 1s)};

    EXPECT_THAT(ids(kept, {.ttl = 60s, .keep = 3, .most_listed = 2}), ElementsAre("b", "c"));
}

TEST(StillListed, LoseNoPlaceToWhatCannotBeRead) {
    const std::vector<ceph::KeptTask> kept{ended("a", 300s), ended("b", 200s), unreadable(150s),
                                           ended("c", 100s), unreadable(2s),   unreadable(1s)};

    EXPECT_THAT(ids(kept, {.ttl = 60s, .keep = 2}), ElementsAre("b", "c"));
    EXPECT_THAT(ids(kept, {.ttl = 300s, .keep = 0, .most_listed = 3}), ElementsAre("a", "b", "c"));
}

}  // namespace
}  // namespace taskd::daemon
