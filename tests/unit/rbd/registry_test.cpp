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

TEST(Access, HasTheDashboardsNames) {
    EXPECT_EQ(to_string(Access::read), "read");
    EXPECT_EQ(to_string(Access::create), "create");
    EXPECT_EQ(to_string(Access::update), "update");
    EXPECT_EQ(to_string(Access::remove), "delete");
}

}  // namespace
}  // namespace taskd::rbd
