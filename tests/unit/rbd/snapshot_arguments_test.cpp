#include "unit/rbd/bad_request.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace taskd::rbd {
namespace {

using nlohmann::json;
using test::refused_field;

const json snapshot = {{"image_spec", "rbd/ns/img"}, {"snapshot_name", "s1"}};

/// What an operation on a snapshot needs, and `more`.
json with(const json& more) {
    json given = snapshot;
    given.update(more);
    return given;
}

struct Row {
    const Operation& operation;
    json least;  ///< What it needs.
};

const std::vector<Row> rows = {{snapshot_create_operation, with({{"mirrorImageSnapshot", false}})},
                               {snapshot_edit_operation, snapshot},
                               {snapshot_delete_operation, snapshot},
                               {snapshot_rollback_operation, snapshot},
                               {snapshot_purge_operation, {{"image_spec", "rbd/ns/img"}}},
                               {clone_operation, with({{"child_pool_name", "rbd"}, {"child_image_name", "c"}})}};

TEST(SnapshotArguments, NeedEachOfTheirFields) {
    for (const auto& [operation, least] : rows) {
        EXPECT_EQ(refused_field(operation, least), "") << operation.name;
        for (const auto& [field, value] : least.items()) {
            json without = least;
            without.erase(field);
            EXPECT_EQ(refused_field(operation, without), field) << operation.name;
        }
    }
}

TEST(SnapshotArguments, NameAnUnknownField) {
    for (auto [operation, given] : rows) {
        given["nonsense"] = 1;
        EXPECT_EQ(refused_field(operation, given), "nonsense") << operation.name;
    }
}

TEST(SnapshotArguments, NameTheFieldOfABadSpec) {
    for (auto [operation, given] : rows) {
        given["image_spec"] = "noslash";
        EXPECT_EQ(refused_field(operation, given), "image_spec") << operation.name;
    }
}

TEST(SnapshotArguments, DecodeToThemselves) {
    for (const auto& [operation, least] : rows) {
        const auto once = operation.decode(least, Limits{});
        EXPECT_EQ(operation.decode(once, Limits{}), once) << operation.name;
    }
}

TEST(SnapshotArguments, TouchTheImage) {
    for (const auto& [operation, least] : rows) {
        const auto touches = operation.touches(operation.decode(least, Limits{}));
        EXPECT_EQ(touches.pool, "rbd") << operation.name;
        EXPECT_EQ(touches.images.back(), "rbd/ns/img") << operation.name;
    }
}

TEST(SnapshotArguments, OfWhatDestroysAreBoundToAnImage) {
    for (const auto* operation : {&snapshot_edit_operation, &snapshot_delete_operation, &snapshot_rollback_operation,
                                  &snapshot_purge_operation})
        EXPECT_EQ(operation->bound_image(snapshot), (ImageSpec{"rbd", "ns", "img"})) << operation->name;
}

TEST(SnapshotCreateArguments, RefuseNamesThatNoSpecCanHave) {
    for (const auto* name : {"", "a/b", "a@b", "a\nb", "\xFF"})
        EXPECT_EQ(
            refused_field(snapshot_create_operation, with({{"snapshot_name", name}, {"mirrorImageSnapshot", false}})),
            "snapshot_name")
            << name;
}

TEST(SnapshotCreateArguments, TakeNamesOfAnyLanguage) {
    for (const auto* name : {"a b", "-x", "\u00fc\U0001F4A9", ".."})
        EXPECT_EQ(
            refused_field(snapshot_create_operation, with({{"snapshot_name", name}, {"mirrorImageSnapshot", true}})),
            "");
}

TEST(SnapshotCreateMetadata, HasTheDashboardsKeys) {
    const json expected = {{"image_spec", "rbd/ns/img"}, {"snapshot_name", "s1"}, {"mirrorImageSnapshot", false}};
    const auto arguments = snapshot_create_operation.decode(with({{"mirrorImageSnapshot", false}}), Limits{});
    EXPECT_EQ(snapshot_create_operation.metadata(arguments), expected);
}

TEST(SnapshotEditArguments, NameTheFieldOfABadValue) {
    for (const json& bad : {json{{"new_snap_name", "a/b"}}, json{{"new_snap_name", 5}}, json{{"is_protected", "maybe"}},
                            json{{"is_protected", 1}}})
        EXPECT_EQ(refused_field(snapshot_edit_operation, with(bad)), bad.begin().key()) << bad;
}

TEST(SnapshotEditArguments, TakeNullAndAnEmptyNameForNotGiven) {
    EXPECT_EQ(snapshot_edit_operation.decode(with({{"new_snap_name", ""}, {"is_protected", nullptr}}), Limits{}),
              snapshot);
}

TEST(SnapshotMetadata, HasTheDashboardsKeys) {
    for (const auto* operation : {&snapshot_edit_operation, &snapshot_delete_operation, &snapshot_rollback_operation})
        EXPECT_EQ(operation->metadata(operation->decode(snapshot, Limits{})), snapshot) << operation->name;
}

TEST(SnapshotDeleteArguments, TakeForceAsTextOfAQuery) {
    for (const auto* yes : {"true", "True", "1", "yes"})
        EXPECT_EQ(snapshot_delete_operation.decode(with({{"force", yes}}), Limits{})["force"], true) << yes;
    EXPECT_EQ(snapshot_delete_operation.decode(with({{"force", "False"}}), Limits{})["force"], false);
    EXPECT_EQ(refused_field(snapshot_delete_operation, with({{"force", "garbage"}})), "force");
}

TEST(SnapshotPurgeArguments, RefuseProtectedOnesUnlessToldOtherwise) {
    const json purge = {{"image_spec", "rbd/img"}};
    EXPECT_EQ(snapshot_purge_operation.decode(purge, Limits{})["protected"], "refuse");
    EXPECT_EQ(refused_field(snapshot_purge_operation, {{"image_spec", "rbd/img"}, {"protected", "all"}}), "protected");
}

json clone_with(const json& more = json::object()) {
    json given = with({{"child_pool_name", "rbd"}, {"child_image_name", "c"}});
    given.update(more);
    return given;
}

TEST(CloneArguments, NameTheFieldOfABadValue) {
    const json bad = json::parse(R"([
        {"child_image_name": ""}, {"child_image_name": "a/b"}, {"child_image_name": "a@b"}, {"child_pool_name": 5},
        {"child_pool_name": "a\u0000b"}, {"child_namespace": "a/b"}, {"child_namespace": 5}, {"obj_size": "4194304"},
        {"features": ["nonsense"]}, {"features": ["exclusive-lock"]}, {"features": []}, {"stripe_unit": -1},
        {"stripe_count": []}, {"data_pool": 5}, {"configuration": []}, {"size": 5}
    ])");
    for (const auto& row : bad)
        EXPECT_EQ(refused_field(clone_operation, clone_with(row)), row.begin().key()) << row.dump();
}

TEST(CloneMetadata, HasTheDashboardsKeys) {
    const json expected = {{"parent_image_spec", "rbd/ns/img"},
                           {"child_pool_name", "rbd"},
                           {"child_namespace", nullptr},
                           {"child_image_name", "c"}};
    EXPECT_EQ(clone_operation.metadata(clone_operation.decode(clone_with(), Limits{})), expected);
}

TEST(CloneTouches, ChildAndParent) {
    const auto arguments = clone_operation.decode(clone_with({{"child_namespace", "other"}}), Limits{});
    EXPECT_EQ(clone_operation.touches(arguments).images, (std::vector<std::string>{"rbd/other/c", "rbd/ns/img"}));
}

}  // namespace
}  // namespace taskd::rbd
