#include "mgr/progress_events.hpp"

#include <gtest/gtest.h>

namespace taskd::mgr {
namespace {

using nlohmann::json;

json rbd_refs(const std::string& action) {
    return {{"origin", "rbd_support"}, {"action", action}, {"pool_name", "rbd"}, {"pool_namespace", ""}};
}

json executing(const json& refs) {
    return {{"message", "Removing image"}, {"refs", refs}, {"progress", 0.55}, {"started_at", 1795570294.380289}};
}

json completed(const json& refs) {
    return {{"message", "Removing image"},
            {"refs", refs},
            {"started_at", 1795570294.380289},
            {"finished_at", 1795570296.5}};
}

json events(const json& event) {
    return {{"events", {event}}, {"completed", json::array()}};
}

TEST(ProgressEvents, OfTheMgrsWorkOnImagesAreTheTasksOfTheDashboard) {
    auto refs = rbd_refs("remove");
    refs["image_name"] = "vm-1";
    refs["image_id"] = "10a";

    const auto tasks = tasks_of_progress(events(executing(refs)));

    ASSERT_EQ(tasks.size(), 1);
    EXPECT_TRUE(tasks[0].is_event);
    EXPECT_EQ(tasks[0].view(), json({{"name", "rbd/delete"},
                                     {"metadata", {{"image_spec", "rbd/vm-1"}}},
                                     {"begin_time", "2026-11-25T01:31:34.380289Z"},
                                     {"progress", 55}}));
}

TEST(ProgressEvents, KeepTheDashboardsNamesForActions) {
    const auto name_of = [](const std::string& action) {
        auto refs = rbd_refs(action);
        refs["image_name"] = "x";
        return tasks_of_progress(events(executing(refs))).at(0).name;
    };
    EXPECT_EQ(name_of("remove"), "rbd/delete");
    EXPECT_EQ(name_of("flatten"), "rbd/flatten");
    EXPECT_EQ(name_of("trash remove"), "rbd/trash/remove");
    EXPECT_EQ(name_of("migrate execute"), "rbd/migrate execute");
}

TEST(ProgressEvents, OfTheTrashNameTheImageByItsId) {
    auto refs = rbd_refs("trash remove");
    refs["pool_namespace"] = "a";
    refs["image_id"] = "10a";

    EXPECT_EQ(tasks_of_progress(events(executing(refs))).at(0).metadata, json({{"image_id_spec", "rbd/a/10a"}}));
}

TEST(ProgressEvents, OfAnythingElseHaveTheirMessageAndReferences) {
    const auto pairs = tasks_of_progress(events(executing(json::parse(R"([["pool", 3], ["global", ""]])"))));
    EXPECT_EQ(pairs.at(0).name, "progress/Removing image");
    EXPECT_EQ(pairs.at(0).metadata, json({{"pool", 3}, {"global", ""}}));
    // An object without an origin makes the dashboard answer 500.
    const auto object = tasks_of_progress(events(executing({{"osd", 1}})));
    EXPECT_EQ(object.at(0).metadata, json({{"osd", 1}}));
    EXPECT_EQ(tasks_of_progress(events(executing(nullptr))).at(0).metadata, json::object());
}

TEST(ProgressEvents, ThatAreOverHaveAnEndAndWhatWentWrong) {
    const auto fine = completed(json::array());
    auto failed = fine;
    failed["failed"] = true;
    failed["failure_message"] = "it did not work";

    const auto tasks = tasks_of_progress({{"events", json::array()}, {"completed", {fine, failed}}});

    ASSERT_EQ(tasks.size(), 2);
    const auto view = tasks[0].view();
    EXPECT_EQ(view["end_time"], "2026-11-25T01:31:36.500000Z");
    EXPECT_NEAR(view["duration"].get<double>(), 2.119711, 1e-6);
    EXPECT_EQ(view["progress"], 100);
    EXPECT_EQ(view["success"], true);
    EXPECT_EQ(view["exception"], nullptr);
    EXPECT_EQ(tasks[1].view()["success"], false);
    EXPECT_EQ(tasks[1].view()["exception"], json({{"detail", "it did not work"}}));
}

TEST(ProgressEvents, ThatCannotBeReadAreLeftOut) {
    auto no_time = executing(json::array());
    no_time["started_at"] = "yesterday";
    auto no_year = executing(json::array());
    no_year["started_at"] = 1e30;
    EXPECT_TRUE(tasks_of_progress({{"events", {5, json::object(), no_time, no_year}}}).empty());
    for (const auto& other : {json(), json(5), json::array(), json{{"events", 5}}})
        EXPECT_TRUE(tasks_of_progress(other).empty()) << other;
}

}  // namespace
}  // namespace taskd::mgr
