#include "api/image_view.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace taskd::api {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;

std::vector<rbd::ImageOption> options_of(const rbd::ImageOptions::Overrides&,
                                         const rbd::ImageOptions::Overrides& image) {
    const auto own = image.find("rbd_cache");
    if (own != image.end()) return {{"rbd_cache", own->second, rbd::ImageOption::Source::image}};
    return {{"rbd_cache", "true", rbd::ImageOption::Source::config}};
}

rbd::ListedImage image(const std::string& pool, const std::string& name) {
    rbd::ListedImage listed;
    listed.pool = pool;
    listed.name = name;
    listed.id = "10ab";
    auto& details = listed.details.emplace();
    details.size_bytes = 1U << 30U;
    details.order = 22;
    details.objects = 256;
    details.object_prefix = "rbd_data.10ab";
    details.features = 61;
    details.stripe_unit_bytes = 1U << 22U;
    details.created = {1'795'600'000, 5};
    details.used_bytes = 0;
    details.total_used_bytes = 0;
    return listed;
}

json list_of(const std::vector<rbd::ListedImage>& images, const std::vector<rbd::SilentPool>& silent = {}) {
    return json::parse(image_list_text({images, images.size(), silent, {}}, options_of));
}

TEST(ImageView, HasTheDashboardsKeysAndTypes) {
    const auto listed = list_of({image("rbd", "vm")});

    // dashboard-exchanges.jsonl, image.list.default
    EXPECT_EQ(listed, json::parse(R"([{"pool_name": "rbd", "value": [{
        "size": 1073741824, "obj_size": 4194304, "num_objs": 256, "order": 22, "block_name_prefix": "rbd_data.10ab",
        "mirror_mode": "journal", "name": "vm", "unique_id": "rbd/10ab", "id": "10ab", "image_format": 2,
        "pool_name": "rbd", "namespace": "", "features": 61,
        "features_name": ["deep-flatten", "exclusive-lock", "fast-diff", "layering", "object-map"],
        "timestamp": "2026-11-25T09:46:40Z", "stripe_count": 1, "stripe_unit": 4194304, "data_pool": null,
        "parent": null, "snapshots": [], "total_disk_usage": 0, "disk_usage": 0,
        "configuration": [{"name": "rbd_cache", "value": "true", "source": 0}]}]}])"));
}

TEST(ImageView, TellsTheScheduleOfWhatIsMirroredBySnapshots) {
    const json schedule{{"image", "rbd/ns/vm"}, {"schedule_time", "2026-11-25 10:00:00"}};
    auto one = image("rbd", "vm");
    one.ns = "ns";
    const auto told = [&] { return json::parse(image_text({one, {}}, options_of, {{"rbd/ns/vm", schedule}})); };
    EXPECT_FALSE(told().contains("schedule_info"));

    one.details->is_mirrored_by_snapshots = true;
    EXPECT_EQ(told()["schedule_info"], schedule);

    one.name = "other";
    EXPECT_FALSE(told().contains("schedule_info"));
}

TEST(ImageView, OneImageHasNoNamespaceRatherThanAnEmptyOne) {
    auto one = image("rbd", "vm");
    EXPECT_TRUE(json::parse(image_text({one, {}}, options_of))["namespace"].is_null());

    one.ns = "ns";
    const auto inside = json::parse(image_text({one, {}}, options_of));
    EXPECT_EQ(inside["namespace"], "ns");
    EXPECT_EQ(inside["unique_id"], "rbd/ns/10ab");
}

TEST(ImageView, SnapshotsTellProtectionClonesAndUsage) {
    auto listed = image("rbd", "vm");
    auto& snapshot = listed.details->snapshots.emplace_back();
    snapshot.id = 4;
    snapshot.name = "s";
    snapshot.size_bytes = 8;
    snapshot.is_protected = true;
    snapshot.created = {1'795'600'000, 0};
    snapshot.clones = {{"rbd", "child"}};
    snapshot.used_bytes = 3;

    EXPECT_EQ(list_of({listed})[0]["value"][0]["snapshots"], json::parse(R"([{
        "id": 4, "size": 8, "name": "s", "namespace": 0, "mirror_mode": "journal", "timestamp": "2026-11-25T09:46:40Z",
        "is_protected": true, "used_bytes": null, "children": [{"pool_name": "rbd", "image_name": "child"}],
        "disk_usage": 3}])"));
}

TEST(ImageView, OptionsOfItsOwnAreTheImagesAlone) {
    auto own = image("rbd", "own");
    own.details->options = {{"rbd_cache", "false"}};

    const auto values = list_of({image("rbd", "a"), own, image("rbd", "z")})[0]["value"];

    EXPECT_EQ(values[0]["configuration"][0]["source"], 0);
    EXPECT_EQ(values[1]["configuration"][0], json::parse(R"({"name": "rbd_cache", "value": "false", "source": 2})"));
    EXPECT_EQ(values[2]["configuration"][0]["source"], 0);
}

TEST(ImageView, AHalfRemovedImageIsAsTheDashboardShowsIt) {
    rbd::ListedImage listed;
    listed.pool = "rbd";
    listed.name = "half";
    listed.id = "10ab";
    listed.state = rbd::ListedImage::State::removing;
    listed.deleted = {1'795'600'000, 0};

    EXPECT_EQ(list_of({listed})[0]["value"][0], json::parse(R"({
        "id": "10ab", "name": "half", "source": "REMOVING", "deletion_time": "2026-11-25T09:46:40Z",
        "deferment_end_time": "2026-11-25T09:46:40Z", "unique_id": "rbd/10ab", "pool_name": "rbd", "namespace": "",
        "configuration": []})"));
}

TEST(ImageView, ABrokenImageSaysWhy) {
    rbd::ListedImage listed;
    listed.pool = "rbd";
    listed.name = "bad";
    listed.id = "10ab";
    listed.state = rbd::ListedImage::State::broken;
    listed.error = 5;
    listed.problem = "why";

    const auto view = list_of({listed})[0]["value"][0];

    EXPECT_EQ(view["source"], "BROKEN");
    EXPECT_EQ(view["exception"], json::parse(R"({"detail": "why", "code": "5", "component": "rbd"})"));
}

TEST(ImageView, ANameThatIsNoUtf8IsShownWithReplacementsAndInBase64) {
    const auto view = list_of({image("rbd", "bad\xFF\xFEname")})[0]["value"][0];

    EXPECT_EQ(view["name"], "bad\xEF\xBF\xBD\xEF\xBF\xBDname");
    EXPECT_EQ(view["name_b64"], "YmFk//5uYW1l");
}

TEST(ImageView, PoolsComeInTheOrderOfTheirFirstImageAndSilentOnesBehind) {
    const auto pools = list_of({image("b", "1"), image("a", "2"), image("b", "3")}, {{"sick", 110, "no answer"}});

    ASSERT_EQ(pools.size(), 3U);
    EXPECT_EQ(pools[0]["pool_name"], "b");
    EXPECT_EQ(pools[0]["value"].size(), 2U);
    EXPECT_EQ(pools[1]["pool_name"], "a");
    EXPECT_EQ(pools[2], json::parse(R"({"pool_name": "sick", "value": [], "status": 3, "exception": "no answer"})"));
}

TEST(ImageView, NoImagesAreAnEmptyList) {
    EXPECT_EQ(list_of({}), json::array());
}

TEST(TrashView, HasTheDashboardsKeys) {
    rbd::TrashAnswer pool{"rbd", {{"ns", "10ab", "gone", 0, {1'795'600'000, 0}, {1'795'600'001, 0}}}, 0, {}};

    EXPECT_EQ(trash_view({pool}), json::parse(R"([{"status": 0, "pool_name": "rbd", "value": [{
        "id": "10ab", "name": "gone", "source": "USER", "deletion_time": "2026-11-25T09:46:40Z",
        "deferment_end_time": "2026-11-25T09:46:41Z", "pool_name": "rbd", "namespace": "ns"}]}])"));
}

}  // namespace
}  // namespace taskd::api
