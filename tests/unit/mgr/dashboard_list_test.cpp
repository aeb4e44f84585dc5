#include "mgr/dashboard_list.hpp"

#include <gtest/gtest.h>
#include <taskd/error.hpp>

namespace taskd::mgr {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

json entry(const std::string& name) {
    return {{"name", name},
            {"metadata", {{"pool_name", "p"}}},
            {"begin_time", "2026-11-24T20:38:36.984206Z"},
            {"progress", 0}};
}

json over(json task) {
    task.update({{"end_time", "2026-11-24T20:38:37Z"},
                 {"duration", 0.5},
                 {"success", false},
                 {"ret_value", nullptr},
                 {"exception", {{"detail", "no"}}}});
    return task;
}

std::string list(const json& executing, const json& finished) {
    return json{{"executing_tasks", executing}, {"finished_tasks", finished}}.dump();
}

TEST(DashboardList, HasBothKindsOfTasks) {
    const auto tasks =
        parse_dashboard_list(list(json::array({entry("pool/create")}), json::array({over(entry("pool/edit"))})));

    ASSERT_EQ(tasks.size(), 2);
    EXPECT_FALSE(tasks[0].end);
    EXPECT_FALSE(tasks[0].is_event);
    EXPECT_EQ(tasks[0].view(), entry("pool/create"));
    auto with_fraction = over(entry("pool/edit"));
    with_fraction["end_time"] = "2026-11-24T20:38:37.000000Z";
    EXPECT_EQ(tasks[1].view(), with_fraction);
}

TEST(DashboardList, LeavesOutWhatIsNoneOfItsOwnAndWhatCannotBeRead) {
    auto no_time = entry("pool/create");
    no_time["begin_time"] = "now";
    auto no_name = entry("pool/create");
    no_name.erase("name");
    auto no_object = entry("pool/create");
    no_object["metadata"] = 5;

    std::vector<json> impossible;
    for (const json& progress : {json(1e300), json(-1), json(101), json(0.5), json("5")})
        impossible.emplace_back(entry("pool/create"))["progress"] = progress;
    // Whose distance to now a WallTime could not hold.
    for (const auto* time : {"1678-01-01T00:00:00Z", "2261-01-01T00:00:00Z"})
        impossible.emplace_back(entry("pool/create"))["begin_time"] = time;

    EXPECT_TRUE(parse_dashboard_list(list(impossible, json::array())).empty());
    EXPECT_TRUE(parse_dashboard_list(list(json::array({no_time, no_name, no_object, 5, entry("progress/x")}),
                                          json::array({entry("no end")})))
                    .empty());
}

TEST(DashboardList, IsNoPageAndNoOtherObject) {
    for (const auto* text : {"", "<html>", "[]", "5", "{}", R"({"executing_tasks": []})", "\xff"})
        EXPECT_THROW(parse_dashboard_list(text), Error) << text;
}

TEST(DashboardList, IsNotDrownedByWhatIsNestedDeeply) {
    const std::size_t depth = 200'000;
    const auto nest = std::string(depth, '[') + std::string(depth, ']');
    const auto text = R"({"executing_tasks":[{"name":"a","metadata":{"x":)" + nest +
                      R"(},"begin_time":"2026-11-24T20:38:36Z","progress":0}],"finished_tasks":[]})";

    const auto tasks = listed(parse_dashboard_list(text));

    ASSERT_EQ(tasks.executing.size(), 1);
    EXPECT_LT(tasks.executing[0]->text.size(), 1000);
}

TEST(DashboardList, TellsOfAnEventWithItsLocalTime) {
    const auto local = parse_dashboard_list(list(json::array({entry("rbd/delete")}), json::array())).at(0);
    auto event = local;
    event.begin_time += 5h + 1us;

    EXPECT_TRUE(is_same_task(local, event, -5h));
    EXPECT_FALSE(is_same_task(local, event, -4h));
    event.metadata = {{"pool_name", "q"}};
    EXPECT_FALSE(is_same_task(local, event, -5h));
}

}  // namespace
}  // namespace taskd::mgr
