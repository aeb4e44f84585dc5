#include "unit/rbd/bad_request.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace taskd::rbd {
namespace {

using nlohmann::json;
using test::refused_field;

const json entry = {{"image_id_spec", "rbd/ns/10ab"}};

json moved(const json& more = json::object()) {
    json given = {{"image_spec", "rbd/img"}};
    given.update(more);
    return trash_move_operation.decode(given, Limits{});
}

TEST(TrashMoveArguments, TakeADelayAsTheDashboardDoes) {
    EXPECT_EQ(moved()["delay"], 0);
    EXPECT_EQ(moved({{"delay", nullptr}})["delay"], 0);
    EXPECT_EQ(moved({{"delay", 3600}})["delay"], 3600);
    EXPECT_EQ(moved({{"delay", 3599.42}})["delay"], 3599);
}

TEST(TrashMoveArguments, NameTheFieldOfABadValue) {
    const json bad = json::parse(R"([{"delay": "10"}, {"delay": -1}, {"delay": 1e300}, {"delay": 9223372036854775807},
                                     {"force": "maybe"}, {"image_spec": "x"}, {"nonsense": 1}])");
    for (const auto& row : bad) {
        json given = {{"image_spec", "rbd/img"}};
        given.update(row);
        EXPECT_EQ(refused_field(trash_move_operation, given), row.begin().key()) << row;
    }
}

TEST(TrashMove, IsBoundToAnImage) {
    EXPECT_EQ(trash_move_operation.bound_image(moved()), (ImageSpec{"rbd", "", "img"}));
    EXPECT_EQ(trash_move_operation.metadata(moved({{"delay", 5}})), (json{{"image_spec", "rbd/img"}}));
}

TEST(TrashRestoreArguments, NeedANameThatMayBeEmpty) {
    EXPECT_EQ(refused_field(trash_restore_operation, entry), "new_image_name");
    for (const auto* name : {"", "b", "\u00fc x"})
        EXPECT_EQ(refused_field(trash_restore_operation, {{"image_id_spec", "rbd/10ab"}, {"new_image_name", name}}),
                  "");
    for (const auto* name : {"a/b", "a@b", "a\tb"})
        EXPECT_EQ(refused_field(trash_restore_operation, {{"image_id_spec", "rbd/10ab"}, {"new_image_name", name}}),
                  "new_image_name");
}

TEST(TrashRestoreTouches, TheEntryAndTheNewName) {
    const auto touches = [](const char* name) {
        const json given = {{"image_id_spec", "rbd/ns/10ab"}, {"new_image_name", name}};
        return trash_restore_operation.touches(trash_restore_operation.decode(given, Limits{})).images;
    };
    EXPECT_EQ(touches("b"), (std::vector<std::string>{"rbd/ns/10ab", "rbd/ns/b"}));
    EXPECT_EQ(touches(""), std::vector<std::string>{"rbd/ns/10ab"});
}

TEST(TrashRemoveArguments, NameTheFieldOfABadValue) {
    const json bad = json::parse(R"([{"image_id_spec": "x"}, {"image_id_spec": 5}, {"force": "garbage"},
                                     {"snapshots": "keep"}, {"nonsense": 1}])");
    for (const auto& row : bad) {
        json given = entry;
        given.update(row);
        EXPECT_EQ(refused_field(trash_remove_operation, given), row.begin().key()) << row;
    }
}

TEST(TrashRemoveArguments, ForceNothingUnlessToldTo) {
    EXPECT_EQ(trash_remove_operation.decode(entry, Limits{}),
              (json{{"image_id_spec", "rbd/ns/10ab"}, {"force", false}, {"snapshots", "refuse"}}));
    EXPECT_EQ(trash_remove_operation.metadata(trash_remove_operation.decode(entry, Limits{})), entry);
}

TEST(TrashPurgeArguments, AreOfOnePoolOrOfAll) {
    EXPECT_EQ(trash_purge_operation.decode(json::object(), Limits{}), (json{{"pool_name", nullptr}}));
    EXPECT_EQ(trash_purge_operation.decode({{"pool_name", "rbd"}}, Limits{}), (json{{"pool_name", "rbd"}}));
    EXPECT_EQ(refused_field(trash_purge_operation, {{"pool_name", 5}}), "pool_name");
    EXPECT_EQ(refused_field(trash_purge_operation, {{"nonsense", 5}}), "nonsense");
}

TEST(NamespaceArguments, NameTheFieldOfABadValue) {
    const json bad = json::parse(R"([{"namespace": ""}, {"namespace": "a/b"}, {"namespace": 5}, {"namespace": null},
                                     {"pool_name": null}, {"nonsense": 1}])");
    for (const auto& row : bad) {
        json given = {{"pool_name", "rbd"}, {"namespace", "ns"}};
        given.update(row);
        EXPECT_EQ(refused_field(namespace_create_operation, given), row.begin().key()) << row;
    }
}

TEST(NamespaceArguments, TakeWhatIsThereWhateverItsName) {
    EXPECT_EQ(refused_field(namespace_delete_operation, {{"pool_name", "rbd"}, {"namespace", "h1/ns"}}), "");
    EXPECT_EQ(refused_field(namespace_delete_operation, {{"pool_name", "rbd"}, {"namespace", ""}}), "namespace");
}

}  // namespace
}  // namespace taskd::rbd
