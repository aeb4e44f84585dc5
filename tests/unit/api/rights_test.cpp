#include "api/rights.hpp"

#include <stdexcept>

#include <gmock/gmock.h>

namespace taskd::api {
namespace {

using auth::Permission;
using auth::Scope;

auth::User with(Scope scope, Permission permission) {
    auth::User user;
    user.roles.emplace_back().add(scope, permission);
    return user;
}

TEST(Rights, OfEveryRouteAreWritten) {
    // make_router asks for each route's when it adds it: see AuthRoutesTest.
    EXPECT_EQ(right_of("DELETE", "/api/block/image/{image_spec}").permission, Permission::remove);
    EXPECT_EQ(right_of("GET", "/healthz").kind, Right::Kind::open);
    EXPECT_THROW(right_of("GET", "/api/of-nobody"), std::invalid_argument);
    EXPECT_THROW(right_of("PATCH", "/api/task"), std::invalid_argument);
}

TEST(Rights, AreTheDashboardsWhereItsDifferFromTheRule) {
    EXPECT_EQ(right_of("POST", "/api/block/image/{image_spec}/flatten").permission, Permission::update);
    EXPECT_EQ(right_of("POST", "/api/block/image/{image_spec}/snap/{snapshot_name}/rollback").permission,
              Permission::update);
    EXPECT_EQ(right_of("POST", "/api/block/image/trash/purge").permission, Permission::remove);
    EXPECT_EQ(right_of("POST", "/api/block/image/{image_spec}/move_trash").permission, Permission::create);
}

TEST(Rights, ATaskIsSeenByWhoMayReadItsScopeOrCouldStartIt) {
    EXPECT_TRUE(may_see(with(Scope::rbd_image, Permission::read), "rbd/delete"));
    EXPECT_TRUE(may_see(with(Scope::rbd_image, Permission::remove), "rbd/delete"));
    EXPECT_FALSE(may_see(with(Scope::rbd_image, Permission::create), "rbd/delete"));
    EXPECT_FALSE(may_see(with(Scope::pool, Permission::read), "rbd/delete"));
    EXPECT_TRUE(may_see(with(Scope::pool, Permission::read), "progress/Rebalancing"));
    EXPECT_FALSE(may_see(with(Scope::monitor, Permission::read), "command"));
}

TEST(Rights, ATaskIsEndedByWhoCouldStartIt) {
    EXPECT_FALSE(may_start(with(Scope::rbd_image, Permission::read), "rbd/resize"));
    EXPECT_TRUE(may_start(with(Scope::rbd_image, Permission::update), "rbd/resize"));
    EXPECT_TRUE(may_start(with(Scope::pool, Permission::create), "pool/create"));
    EXPECT_FALSE(may_start(with(Scope::pool, Permission::create), "command"));
}

}  // namespace
}  // namespace taskd::api
