#include "rbd/lister/pool_map.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace taskd::rbd {
namespace {

TEST(PoolDescriptions, TellWhichPoolsAreForImages) {
    const auto pools = describe_pools(nlohmann::json::parse(R"([
        {"pool_id": 1, "pool_name": "rbd", "application_metadata": {"rbd": {}}},
        {"pool_id": 2, "pool_name": "fs", "application_metadata": {"cephfs": {"data": "x"}}},
        {"pool": 3, "pool_name": "new"}])"));

    ASSERT_EQ(pools.size(), 3U);
    EXPECT_TRUE(pools[0].is_for_images);
    EXPECT_FALSE(pools[1].is_for_images);
    EXPECT_EQ(pools[2].id, 3);
    EXPECT_FALSE(pools[2].is_for_images);
}

TEST(PoolDescriptions, LeaveOutWhatIsOfAnotherForm) {
    EXPECT_TRUE(describe_pools(nlohmann::json::parse(R"([7, {"pool_name": 5}, {"pool_name": "x"}])")).empty());
    EXPECT_TRUE(describe_pools(nlohmann::json::parse(R"({"pool_name": "x"})")).empty());
    EXPECT_TRUE(describe_pools(nlohmann::json::parse("[[", nullptr, false)).empty());
}

}  // namespace
}  // namespace taskd::rbd
