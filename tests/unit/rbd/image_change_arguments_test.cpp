#include "rbd/feature_change.hpp"
#include "unit/rbd/bad_request.hpp"

#include <gtest/gtest.h>
#include <rbd/features.h>

namespace taskd::rbd {
namespace {

using nlohmann::json;
using test::refused_field;

const json image = {{"image_spec", "rbd/img"}};
const json copied = {
    {"image_spec", "rbd/img"}, {"dest_pool_name", "rbd"}, {"dest_namespace", nullptr}, {"dest_image_name", "copy"}};

json with(json given, const json& more) {
    given.update(more);
    return given;
}

json decoded(const Operation& operation, const json& given) {
    return operation.decode(given, Limits{});
}

/// Each row is one bad value; it must be the field that is named.
void expect_refused(const Operation& operation, const json& good, const char* rows) {
    EXPECT_EQ(refused_field(operation, good), "") << operation.name;
    for (const auto& row : json::parse(rows))
        EXPECT_EQ(refused_field(operation, with(good, row)), row.begin().key()) << operation.name << row.dump();
}

TEST(EditArguments, NameTheFieldOfABadValue) {
    expect_refused(edit_operation, image, R"([
        {"image_spec": "noslash"}, {"image_spec": null}, {"name": "a/b"}, {"name": "a@b"}, {"name": "a\u0001"}, {"name": 5},
        {"name": {"a": 1}}, {"size": "3221225472"}, {"size": -5}, {"size": 1125899906842625}, {"size": 18446744073709551615},
        {"features": ["bogus"]}, {"features": 5}, {"enable_features": ["layering"]}, {"disable_features": ["layering"]},
        {"enable_features": "bogus"}, {"configuration": "x"}, {"enable_mirror": "maybe"}, {"primary": 2.5},
        {"mirror_mode": "both"}, {"bogus": 1}, {"allow_shrink": "x"},
        {"schedule_interval": "1x"}, {"schedule_interval": "0d"}, {"schedule_interval": "3651d"}, {"schedule_interval": "-5m"},
        {"schedule_interval": "5"}, {"schedule_interval": "99999999999m"}
    ])");
}

TEST(EditArguments, TakeWhatTheDashboardsPageSends) {
    const auto arguments = decoded(
        edit_operation, with(image, json::parse(R"({"name": "img", "schedule_interval": null, "size": 1073741824.7,
            "features": ["layering", "exclusive-lock", "object-map", "fast-diff"], "enable_mirror": false, "configuration": {}})")));

    EXPECT_EQ(arguments["size"], 1073741824U);
    EXPECT_EQ(arguments["enable_mirror"], false);
    EXPECT_FALSE(arguments.contains("configuration"));
}

TEST(EditArguments, ListAllFeaturesOrThoseToSwitch) {
    EXPECT_EQ(refused_field(edit_operation, with(image, {{"features", "layering"}, {"enable_features", "journaling"}})),
              "enable_features");
}

TEST(EditArguments, EitherScheduleSnapshotsOrEndThat) {
    EXPECT_EQ(refused_field(edit_operation, with(image, {{"schedule_interval", "5m"}})), "");
    EXPECT_EQ(refused_field(edit_operation, with(image, {{"schedule_interval", "5m"}, {"remove_scheduling", true}})),
              "remove_scheduling");
}

TEST(EditArguments, MayNameTheImagesOwnOddName) {
    EXPECT_EQ(refused_field(edit_operation, {{"image_spec", "rbd/a@b"}, {"name", "a@b"}}), "");
}

TEST(EditMetadata, EchoesTheName) {
    EXPECT_EQ(edit_operation.metadata(decoded(edit_operation, image)),
              (json{{"image_spec", "rbd/img"}, {"name", nullptr}}));
    EXPECT_EQ(edit_operation.metadata(decoded(edit_operation, with(image, {{"name", ""}}))),
              (json{{"image_spec", "rbd/img"}, {"name", ""}}));
}

TEST(EditTouches, BothNames) {
    const auto touches =
        edit_operation.touches(decoded(edit_operation, {{"image_spec", "rbd/ns/img"}, {"name", "new"}}));

    EXPECT_EQ(touches.pool, "rbd");
    EXPECT_EQ(touches.images, (std::vector<std::string>{"rbd/ns/img", "rbd/ns/new"}));
}

TEST(CopyArguments, NameTheFieldOfABadValue) {
    for (const auto* operation : {&copy_operation, &deep_copy_operation})
        expect_refused(*operation, copied, R"([
            {"image_spec": "noslash"}, {"dest_pool_name": null}, {"dest_pool_name": 5}, {"dest_image_name": "a/b"},
            {"dest_image_name": "a@b"}, {"dest_image_name": ""}, {"dest_image_name": null}, {"dest_namespace": "a/b"},
            {"dest_namespace": 5}, {"snapshot_name": 5}, {"obj_size": "4096"}, {"features": ["bogus"]}, {"stripe_unit": "x"},
            {"configuration": []}, {"bogus": 1}
        ])");
    auto without_namespace = copied;
    without_namespace.erase("dest_namespace");
    EXPECT_EQ(refused_field(copy_operation, without_namespace), "dest_namespace");
    EXPECT_EQ(refused_field(deep_copy_operation, with(copied, {{"flatten", "x"}})), "flatten");
}

TEST(CopyMetadata, HasTheDashboardsKeysAndEchoes) {
    for (const json& ns : {json(nullptr), json(""), json("ns")})
        EXPECT_EQ(copy_operation.metadata(decoded(copy_operation, with(copied, {{"dest_namespace", ns}}))),
                  (json{{"src_image_spec", "rbd/img"},
                        {"dest_pool_name", "rbd"},
                        {"dest_namespace", ns},
                        {"dest_image_name", "copy"}}));
}

TEST(CopyTouches, BothImages) {
    const auto touches = copy_operation.touches(decoded(copy_operation, with(copied, {{"dest_pool_name", "other"}})));

    EXPECT_EQ(touches.pool, "other");
    EXPECT_EQ(touches.images, (std::vector<std::string>{"other/copy", "rbd/img"}));
}

TEST(ResizeArguments, NameTheFieldOfABadValue) {
    expect_refused(resize_operation, with(image, {{"size", 1}}), R"([
        {"size": null}, {"size": -1}, {"size": "10G"}, {"size": 18446744073709551615}, {"allow_shrink": 5}, {"bogus": 1}
    ])");
}

TEST(SparsifyArguments, NameTheFieldOfABadValue) {
    expect_refused(sparsify_operation, image, R"([
        {"sparse_size": 1234}, {"sparse_size": 0}, {"sparse_size": 67108864}, {"sparse_size": "4096"}, {"bogus": 1}
    ])");
}

TEST(ObjectMapArguments, NameTheFieldOfABadValue) {
    expect_refused(object_map_rebuild_operation, image, R"([{"snapshot_name": 5}, {"bogus": 1}])");
}

TEST(MigrationArguments, NameTheFieldOfABadValue) {
    expect_refused(migration_prepare_operation, image, R"([
        {"image_spec": "noslash"}, {"dest_image_name": "a/b"}, {"dest_pool_name": 5}, {"dest_namespace": "a/b"},
        {"flatten": 5}, {"features": ["bogus"]}, {"bogus": 1}
    ])");
    for (const auto* operation :
         {&migration_execute_operation, &migration_commit_operation, &migration_abort_operation})
        expect_refused(*operation, image, R"([{"image_spec": 5}, {"image_id": "a/b"}, {"bogus": 1}])");
}

TEST(MigrationArguments, TakeWhatIsNotGivenFromTheSource) {
    const auto same = decoded(migration_prepare_operation, {{"image_spec", "rbd/ns/img"}});
    const auto elsewhere =
        decoded(migration_prepare_operation, {{"image_spec", "rbd/ns/img"}, {"dest_pool_name", "other"}});

    EXPECT_EQ(same["dest_pool_name"], "rbd");
    EXPECT_EQ(same["dest_namespace"], "ns");
    EXPECT_EQ(same["dest_image_name"], "img");
    EXPECT_EQ(elsewhere["dest_namespace"], nullptr);
}

TEST(ImageChangeArguments, DecodeToThemselves) {
    const json more = {{"features", "layering,exclusive-lock"}, {"configuration", {{"rbd_qos_iops_limit", 5}}}};
    const std::pair<const Operation*, json> rows[] = {
        {&edit_operation, with(with(image, more), {{"name", "x"}, {"size", 5.5}, {"force", "yes"}})},
        {&copy_operation, with(copied, with(more, {{"obj_size", 4096.0}}))},
        {&deep_copy_operation, with(copied, more)},
        {&resize_operation, with(image, {{"size", "12"}})},
        {&flatten_operation, image},
        {&sparsify_operation, image},
        {&object_map_rebuild_operation, with(image, {{"snapshot_name", "s"}})},
        {&migration_prepare_operation, image},
        {&migration_execute_operation, image},
    };
    for (const auto& [operation, given] : rows) {
        const auto once = decoded(*operation, given);
        EXPECT_EQ(decoded(*operation, once), once) << operation->name;
    }
}

TEST(FeatureChange, SwitchesWhatIsListedOnAndTheRestOff) {
    const auto change = FeatureChange::from_to(RBD_FEATURE_LAYERING | RBD_FEATURE_JOURNALING,
                                               RBD_FEATURE_EXCLUSIVE_LOCK | RBD_FEATURE_OBJECT_MAP);

    EXPECT_EQ(change.off, RBD_FEATURE_JOURNALING);
    EXPECT_EQ(change.on, RBD_FEATURE_EXCLUSIVE_LOCK | RBD_FEATURE_OBJECT_MAP);
}

TEST(FeatureChange, LeavesWhatCannotBeSwitched) {
    EXPECT_TRUE(FeatureChange::from_to(RBD_FEATURE_LAYERING | RBD_FEATURE_STRIPINGV2, 0).empty());
    EXPECT_TRUE(FeatureChange::from_to(RBD_FEATURE_LAYERING, RBD_FEATURE_DEEP_FLATTEN | RBD_FEATURE_LAYERING).empty());
    EXPECT_EQ(FeatureChange::from_to(RBD_FEATURE_DEEP_FLATTEN, 0).off, RBD_FEATURE_DEEP_FLATTEN);
}

TEST(FeatureChange, OfTheMapSwitchesFastDiffOffToo) {
    const auto both = RBD_FEATURE_OBJECT_MAP | RBD_FEATURE_FAST_DIFF;
    EXPECT_EQ(FeatureChange::of(both | RBD_FEATURE_EXCLUSIVE_LOCK, 0, RBD_FEATURE_OBJECT_MAP).off, both);
    EXPECT_TRUE(FeatureChange::of(both, RBD_FEATURE_OBJECT_MAP, 0).empty());
    EXPECT_TRUE(FeatureChange::of(both, 0, 0).empty());
}

TEST(FeatureChange, TakesFastDiffToMeanTheMapToo) {
    const auto both = RBD_FEATURE_OBJECT_MAP | RBD_FEATURE_FAST_DIFF;
    EXPECT_TRUE(FeatureChange::from_to(both, RBD_FEATURE_FAST_DIFF).empty());
    EXPECT_EQ(FeatureChange::from_to(0, RBD_FEATURE_FAST_DIFF).on, both);
}

}  // namespace
}  // namespace taskd::rbd
