#include "api/pool_plan.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>
#include <taskd/error.hpp>

namespace taskd::api {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

std::vector<std::string> prefixes(const std::vector<json>& commands) {
    std::vector<std::string> result;
    for (const auto& command : commands) result.push_back(command["prefix"]);
    return result;
}

std::string field_of(const auto& call) {
    try {
        call();
    } catch (const BadRequest& error) {
        return error.field();
    }
    return "";
}

const json small_pool{{"pool", "p"}, {"pg_num", 8}, {"pool_type", "replicated"}};

json with(json base, const char* field, json value) {
    base[field] = std::move(value);
    return base;
}

TEST(PoolCreatePlan, MakesThePoolThenSetsWhatWasAsked) {
    auto arguments = small_pool;
    arguments["application_metadata"] = {"rbd"};
    arguments["quota_max_bytes"] = 4096;
    arguments["size"] = 2;

    const auto plan = plan_pool_create(arguments);

    EXPECT_EQ(prefixes(plan.commands), (std::vector<std::string>{"osd pool create", "osd pool application enable",
                                                                 "osd pool set-quota", "osd pool set"}));
    EXPECT_EQ(plan.commands[0], json({{"prefix", "osd pool create"},
                                      {"pool", "p"},
                                      {"pg_num", 8},
                                      {"pgp_num", 8},
                                      {"pool_type", "replicated"}}));
    EXPECT_EQ(plan.commands[2]["field"], "max_bytes");
    EXPECT_EQ(plan.commands[2]["val"], "4096");
    EXPECT_EQ(plan.commands[3]["val"], "2");
}

TEST(PoolCreatePlan, TakesANumberOfGroupsAsText) {
    EXPECT_EQ(plan_pool_create(with(small_pool, "pg_num", "16")).commands[0]["pg_num"], 16);
}

TEST(PoolCreatePlan, NamesTheFieldThatIsWrongBeforeAnythingIsMade) {
    const std::vector<std::pair<json, std::string>> cases{
        {json::object(), "pool"},
        {with(small_pool, "pool", "a/b"), "pool"},
        {with(small_pool, "pool", ""), "pool"},
        {with(small_pool, "pg_num", nullptr), "pg_num"},
        {with(small_pool, "pg_num", "x"), "pg_num"},
        {with(small_pool, "pg_num", -1), "pg_num"},
        {with(small_pool, "pool_type", "nonsense"), "pool_type"},
        {with(small_pool, "bogus", "1"), "bogus"},
        {with(small_pool, "flags", {"nonsense"}), "flags"},
        {with(small_pool, "application_metadata", "rbd"), "application_metadata"},
        {with(small_pool, "quota_max_bytes", 1.5), "quota_max_bytes"},
        {with(small_pool, "size", json::array()), "size"},
        {with(small_pool, "configuration", {{"rbd_qos_iops_limit", 1}}), "configuration"},
        {with(small_pool, "yes_i_really_mean_it", "yes"), "yes_i_really_mean_it"},
    };

    for (const auto& [arguments, field] : cases)
        EXPECT_EQ(field_of([&given = arguments] { plan_pool_create(given); }), field) << arguments;
}

TEST(PoolEditPlan, LooksWhetherThereIsSuchAPoolFirstAndRenamesLast) {
    const auto plan = plan_pool_edit("p", {{"pool", "q"}, {"pg_num", 16}});

    EXPECT_EQ(prefixes(plan.commands), (std::vector<std::string>{"osd pool application get", "osd pool set",
                                                                 "osd pool set", "osd pool rename"}));
    EXPECT_EQ(plan.commands[1]["var"], "pg_num");
    EXPECT_EQ(plan.commands[2]["var"], "pgp_num");
    EXPECT_EQ(plan.commands[3]["destpool"], "q");
}

TEST(PoolEditPlan, MakesTheApplicationsThoseWanted) {
    const auto plan = plan_pool_edit("p", {{"application_metadata", {"rbd", "rgw"}}, {"size", 3}});

    const auto rest = plan.then({{"output", {{"rbd", json::object()}, {"cephfs", json::object()}}}});

    EXPECT_EQ(prefixes(rest), (std::vector<std::string>{"osd pool application enable", "osd pool application disable",
                                                        "osd pool set"}));
    EXPECT_EQ(rest[0]["app"], "rgw");
    EXPECT_EQ(rest[1]["app"], "cephfs");
}

TEST(PoolEditPlan, AFieldOfCreationOnlyIsUnknown) {
    EXPECT_EQ(field_of([] { plan_pool_edit("p", {{"pool_type", "erasure"}}); }), "pool_type");
}

TEST(PoolDeletePlan, SaysTheNameTwice) {
    const auto plan = plan_pool_delete("p");

    EXPECT_EQ(plan.commands[0]["pool"], "p");
    EXPECT_EQ(plan.commands[0]["pool2"], "p");
}

}  // namespace
}  // namespace taskd::api
