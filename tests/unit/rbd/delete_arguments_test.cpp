#include "unit/rbd/bad_request.hpp"

#include <gtest/gtest.h>

namespace taskd::rbd {
namespace {

using nlohmann::json;
using test::refused_field;

json decoded_delete(const json& given) {
    return delete_operation.decode(given, Limits{});
}

TEST(DeleteArguments, NeedASpec) {
    EXPECT_EQ(refused_field(delete_operation, json::object()), "image_spec");
}

TEST(DeleteArguments, NameTheFieldOfABadValue) {
    const json bad = json::parse(R"([
        {"image_spec": "noslash"}, {"image_spec": "rbd/"}, {"image_spec": 5}, {"image_spec": null},
        {"image_id": 5}, {"image_id": ""}, {"image_id": "a/b"}, {"snapshots": "purge"}, {"snapshots": true},
        {"force": true}
    ])");
    for (const auto& row : bad) {
        json given = {{"image_spec", "rbd/img"}};
        given.update(row);
        EXPECT_EQ(refused_field(delete_operation, given), row.begin().key()) << row.dump();
    }
}

TEST(DeleteArguments, RemoveSnapshotsUnlessToldOtherwise) {
    EXPECT_EQ(decoded_delete({{"image_spec", "rbd/img"}})["snapshots"], "remove");
    EXPECT_EQ(decoded_delete({{"image_spec", "rbd/img"}, {"snapshots", "refuse"}})["snapshots"], "refuse");
}

TEST(DeleteArguments, DecodeToThemselves) {
    const auto once = decoded_delete({{"image_spec", "rbd/ns/img"}, {"image_id", "101158d673b0"}});
    EXPECT_EQ(decoded_delete(once), once);
}

TEST(DeleteMetadata, HasTheDashboardsKey) {
    const auto arguments = decoded_delete({{"image_spec", "rbd/ns/img"}, {"image_id", "101158d673b0"}});
    EXPECT_EQ(delete_operation.metadata(arguments), (json{{"image_spec", "rbd/ns/img"}}));
}

TEST(DeleteTouches, TheImage) {
    const auto touches = delete_operation.touches(decoded_delete({{"image_spec", "rbd//img"}}));

    EXPECT_EQ(touches.pool, "rbd");
    EXPECT_EQ(touches.images, std::vector<std::string>{"rbd/img"});
}

}  // namespace
}  // namespace taskd::rbd
