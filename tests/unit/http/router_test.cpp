#include "http/router.hpp"

#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace taskd::http {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

SyncHandler says(const std::string& text) {
    return [text](const Request&) {
        Response response;
        response.body = text;
        return response;
    };
}

/// What the handler that a request is routed to says; "none" when no route matches.
std::string routed(const Router& router, std::string_view method, std::string_view path) {
    const auto match = router.match(method, path);
    Request request;
    return match.route ? std::string(match.route->now(request).body.view()) : "none";
}

Router image_router() {
    Router router;
    router.add("GET", "/api/block/image", says("list"));
    router.add("GET", "/api/block/image/trash", says("trash"));
    router.add("GET", "/api/block/image/{image_spec}", says("image"));
    router.add("DELETE", "/api/block/image/{image_spec}", says("remove"));
    router.add("PUT", "/api/block/image/{image_spec}/snap/{snap}", says("edit snapshot"));
    router.add("GET", "/api/block/image/{spec}/flatten", says("flatten"));
    return router;
}

TEST(Router, FindsTheRouteOfMethodAndPath) {
    const auto router = image_router();

    EXPECT_EQ(routed(router, "GET", "/api/block/image"), "list");
    EXPECT_EQ(routed(router, "GET", "/api/block/image/a"), "image");
    EXPECT_EQ(routed(router, "DELETE", "/api/block/image/a"), "remove");
}

TEST(Router, LiteralWinsOverParameter) {
    EXPECT_EQ(routed(image_router(), "GET", "/api/block/image/trash"), "trash");
}

TEST(Router, LiteralWithoutTheMethodLeavesThePathToTheParameter) {
    EXPECT_EQ(routed(image_router(), "DELETE", "/api/block/image/trash"), "remove");
    EXPECT_EQ(routed(image_router(), "GET", "/api/block/image/trash/flatten"), "flatten");
}

TEST(Router, UnknownMethodIsNotFound) {
    EXPECT_EQ(routed(image_router(), "POST", "/api/block/image"), "none");
}

TEST(Router, PrefixesAndLongerPathsAreNotFound) {
    const auto router = image_router();

    EXPECT_EQ(routed(router, "GET", "/api/block"), "none");
    EXPECT_EQ(routed(router, "GET", "/"), "none");
    EXPECT_EQ(routed(router, "GET", "/api/block/image/a/b"), "none");
    EXPECT_EQ(routed(router, "GET", "*"), "none");
    EXPECT_EQ(routed(router, "GET", ""), "none");
}

TEST(Router, NamesParametersByTheRouteThatMatched) {
    const auto router = image_router();

    EXPECT_THAT(router.match("PUT", "/api/block/image/rbd%2Fa/snap/s1").params,
                ElementsAre(Pair("image_spec", "rbd/a"), Pair("snap", "s1")));
    EXPECT_THAT(router.match("GET", "/api/block/image/a/flatten").params, ElementsAre(Pair("spec", "a")));
    EXPECT_THAT(router.match("GET", "/api/block/image").params, IsEmpty());
}

TEST(Router, EncodedSlashStaysInItsSegmentAndAPlainOneDoesNot) {
    const auto router = image_router();

    EXPECT_EQ(routed(router, "GET", "/api/block/image/rbd%2Fa"), "image");
    EXPECT_EQ(routed(router, "GET", "/api/block/image/rbd/a"), "none");
}

TEST(Router, ComparesLiteralsDecoded) {
    EXPECT_EQ(routed(image_router(), "GET", "/api/block/image/tr%61sh"), "trash");
    EXPECT_EQ(routed(image_router(), "GET", "/api%2Fblock/image"), "none");
}

TEST(Router, ServesTheRootPath) {
    Router router;
    router.add("GET", "/", says("root"));

    EXPECT_EQ(routed(router, "GET", "/"), "root");
}

TEST(Router, RefusesMalformedPatterns) {
    Router router;

    EXPECT_THROW(router.add("GET", "api", says("")), std::invalid_argument);
    EXPECT_THROW(router.add("GET", "/api//task", says("")), std::invalid_argument);
    EXPECT_THROW(router.add("GET", "/api/{name", says("")), std::invalid_argument);
    EXPECT_THROW(router.add("GET", "/api/{}", says("")), std::invalid_argument);
    EXPECT_THROW(router.add("GET", "/api", SyncHandler{}), std::invalid_argument);
}

TEST(Router, RefusesASecondHandlerForTheSameRoute) {
    auto router = image_router();

    EXPECT_THROW(router.add("GET", "/api/block/image/{other_name}", says("")), std::invalid_argument);
}

TEST(Router, FallbackIsNotFoundUnlessToldOtherwise) {
    Router router;
    Request request;
    request.path = "/x%20y/a%2fb";

    const auto response = router.fallback().now(request);

    EXPECT_EQ(response.status, 404);
    EXPECT_THAT(std::string(response.body.view()), testing::HasSubstr("The path '/x y/a%2Fb' was not found."));

    router.set_fallback(says("mine"));
    EXPECT_EQ(router.fallback().now(request).body.view(), "mine");
}

TEST(Router, NotFoundNamesThePathAsSent) {
    Request request;
    request.target = "/api/?x=/";
    request.path = "/api";

    EXPECT_THAT(std::string(not_found_response(request).body.view()), testing::HasSubstr("The path '/api/' was"));
}

TEST(Router, NamesRoutesAsTheyWereAddedAndWhatMatchesNoneOther) {
    const auto router = image_router();

    ASSERT_EQ(router.names().size(), 7U);
    EXPECT_EQ(router.names().front().pattern, "other");
    EXPECT_EQ(router.fallback().number, 0U);
    const auto match = router.match("DELETE", "/api/block/image/rbd%2Fa");
    ASSERT_NE(match.route, nullptr);
    EXPECT_EQ(router.names()[match.route->number].method, "DELETE");
    EXPECT_EQ(router.names()[match.route->number].pattern, "/api/block/image/{image_spec}");
}

}  // namespace
}  // namespace taskd::http
