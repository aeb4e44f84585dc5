#include "rbd/operation.hpp"

#include <set>

#include <gtest/gtest.h>

namespace taskd::rbd {
namespace {

TEST(OperationRegistry, FindsByName) {
    EXPECT_EQ(OperationRegistry::builtin().find("rbd/create"), &create_operation);
    EXPECT_EQ(OperationRegistry::builtin().find("rbd/delete"), &delete_operation);
}

TEST(OperationRegistry, KnowsNoOther) {
    EXPECT_EQ(OperationRegistry::builtin().find("rbd/bogus"), nullptr);
}

TEST(OperationRegistry, HoldsCompleteOperationsOfDifferentNames) {
    std::set<std::string_view> names;
    for (const auto* operation : OperationRegistry::builtin().all()) {
        EXPECT_TRUE(names.insert(operation->name).second) << operation->name;
        EXPECT_TRUE(operation->decode && operation->metadata && operation->touches && operation->run);
        EXPECT_GT(operation->wait_for.count(), 0);
        EXPECT_FALSE(operation->interrupted.empty());
        EXPECT_FALSE(operation->permission.scope.empty());
    }
}

TEST(ImageIdOf, IsThatOfTheArgumentsWithThePlaceOfTheImage) {
    const nlohmann::json arguments = {{"image_spec", "rbd/ns/img"}, {"image_id", "10ab"}};

    EXPECT_EQ(image_id_of(delete_operation, arguments), (ImageIdSpec{"rbd", "ns", "10ab"}));
}

TEST(ImageIdOf, IsThatOfAnEntryOfTheTrash) {
    EXPECT_EQ(image_id_of(trash_remove_operation, {{"image_id_spec", "rbd/10ab"}}), (ImageIdSpec{"rbd", "", "10ab"}));
}

TEST(ImageIdOf, IsNothingWhereOnlyTheNameIsKnown) {
    EXPECT_EQ(image_id_of(delete_operation, {{"image_spec", "rbd/img"}}), std::nullopt);
    EXPECT_EQ(image_id_of(create_operation, {{"name", "img"}}), std::nullopt);
}

TEST(Access, HasTheDashboardsNames) {
    EXPECT_EQ(to_string(Access::read), "read");
    EXPECT_EQ(to_string(Access::create), "create");
    EXPECT_EQ(to_string(Access::update), "update");
    EXPECT_EQ(to_string(Access::remove), "delete");
}

}  // namespace
}  // namespace taskd::rbd
