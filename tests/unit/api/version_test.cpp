#include "api/version.hpp"

#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace taskd::api {
namespace {

http::Request asking_for(const std::string& accept) {
    http::Request request;
    request.headers.add("accept", accept);
    return request;
}

/// 200 when the endpoint answers it.
int status_of(const http::Request& request, Version endpoint = {}) {
    const auto refusal = refuse_version(request, endpoint);
    return refusal ? refusal->status : 200;
}

std::string detail_of(const http::Request& request, Version endpoint = {}) {
    return nlohmann::json::parse(refuse_version(request, endpoint)->body.view())["detail"];
}

TEST(Version, OfAnEndpointMayComeBesideAnotherType) {
    EXPECT_EQ(status_of(asking_for("text/event-stream")), 415);
    const Version endpoint{.accepts_too = event_stream_type};
    EXPECT_EQ(status_of(asking_for("text/event-stream"), endpoint), 200);
    EXPECT_EQ(status_of(asking_for("application/json"), endpoint), 200);
    EXPECT_EQ(status_of(asking_for("text/html"), endpoint), 415);
}

TEST(Version, IsPartOfTheMediaType) {
    EXPECT_EQ(Version().media_type(), "application/vnd.ceph.api.v1.0+json");
    EXPECT_EQ((Version{2, 10}.media_type()), "application/vnd.ceph.api.v2.10+json");
}

TEST(Version, ClientsThatAskForNothingGetTheEndpoints) {
    EXPECT_EQ(status_of({}), 200);
    for (const auto* any : {"*/*", "application/json"}) {
        EXPECT_EQ(status_of(asking_for(any)), 200) << any;
        EXPECT_EQ(status_of(asking_for(any), {2, 0}), 200) << any;
    }
}

TEST(Version, TheMajorIsEqualAndTheMinorNotAbove) {
    EXPECT_EQ(status_of(asking_for("application/vnd.ceph.api.v1.0+json")), 200);
    EXPECT_EQ(status_of(asking_for("application/vnd.ceph.api.v1.0+json"), {1, 1}), 200);
    EXPECT_EQ(status_of(asking_for("application/vnd.ceph.api.v1.1+json"), {1, 1}), 200);
    EXPECT_EQ(status_of(asking_for("application/vnd.ceph.api.v1.1+json")), 415);
    EXPECT_EQ(status_of(asking_for("application/vnd.ceph.api.v2.0+json")), 415);
    EXPECT_EQ(status_of(asking_for("application/vnd.ceph.api.v1.0+json"), {2, 0}), 415);
    EXPECT_EQ(status_of(asking_for("application/vnd.ceph.api.v2.1+json"), {2, 0}), 415);
}

TEST(Version, LeadingZerosPass) {
    EXPECT_EQ(status_of(asking_for("application/vnd.ceph.api.v01.0+json")), 200);
    EXPECT_EQ(status_of(asking_for("application/vnd.ceph.api.v1.00+json")), 200);
}

TEST(Version, OnlyTheExactFormIsOne) {
    for (const auto* accept :
         {"", "application/vnd.ceph.api.v1.0+json, */*", "application/vnd.ceph.api.v1.0+json;q=1",
          "application/vnd.ceph.api.v1+json", "application/vnd.ceph.api.v1.+json", "application/vnd.ceph.api.v.0+json",
          "application/vnd.ceph.api.v+json", "application/vnd.ceph.api.v1.0", "application/vnd.ceph.api.v1.0.0+json",
          "application/vnd.ceph.api.v1.x+json", "application/vnd.ceph.api.v99999999999.0+json",
          "application/vnd.ceph.api.v 1.0+json", "text/html", "*/*;q=0.8", "application/*"})
        EXPECT_EQ(status_of(asking_for(accept)), 415) << accept;
}

TEST(Version, ARefusalSaysWhatIsWrongInTheDashboardsWords) {
    EXPECT_EQ(detail_of(asking_for("text/html")), "Unable to find version in request header");
    EXPECT_EQ(detail_of(asking_for("application/vnd.ceph.api.v2.0+json")),
              "Incorrect version: endpoint is '1.0', client requested '2.0'");
}

}  // namespace
}  // namespace taskd::api
