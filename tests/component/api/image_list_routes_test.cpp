#include "api_server.hpp"

namespace taskd::api {
namespace {

using ::testing::HasSubstr;

/// What is refused before anybody is asked; what the cluster answers is tested with a cluster.
class ImageListRoutes : public ApiTest {
  protected:
    Answer list(std::string_view query) {
        return request("GET", "/api/block/image" + std::string(query), {},
                       {{"Accept", "application/vnd.ceph.api.v2.0+json"}});
    }
};

TEST_F(ImageListRoutes, TheListIsOfVersionTwo) {
    EXPECT_EQ(request("GET", "/api/block/image", {}, {{"Accept", "application/vnd.ceph.api.v1.0+json"}}).status, 415);
    EXPECT_EQ(request("GET", "/api/block/image", {}, {{"Accept", "application/vnd.ceph.api.v2.1+json"}}).status, 415);
}

TEST_F(ImageListRoutes, AWrongLimitIsRefusedInTheDashboardsWords) {
    const auto answer = list("?limit=-2");

    EXPECT_EQ(answer.status, 400);
    EXPECT_EQ(answer.body,
              nlohmann::json::parse(R"({"detail": "Wrong limit value -2", "code": "400", "component": null})"));
}

TEST_F(ImageListRoutes, NumbersMustBeNumbersAndParametersKnownAndGivenOnce) {
    for (const auto* query : {"?limit=abc", "?limit=", "?offset=1.5", "?x=1", "?limit=1&limit=2"}) {
        const auto answer = list(query);
        EXPECT_EQ(answer.status, 400) << query;
        EXPECT_EQ(answer.body["code"], "22") << query;
    }
}

TEST_F(ImageListRoutes, ASpecNeedsAPool) {
    EXPECT_EQ(get("/api/block/image/noslash").status, 400);
}

TEST_F(ImageListRoutes, WithoutAClusterToAskItIsUnavailable) {
    EXPECT_EQ(list("").status, 503);
    EXPECT_EQ(get("/api/block/image/trash").status, 503);
    EXPECT_EQ(get("/api/block/pool/rbd/namespace").status, 503);
    EXPECT_EQ(get("/api/block/mirroring/pool/rbd").status, 503);
}

}  // namespace
}  // namespace taskd::api
