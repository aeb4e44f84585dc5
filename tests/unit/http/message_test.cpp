#include "http/message.hpp"

#include <set>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace taskd::http {
namespace {

TEST(HeaderFields, AreFoundWhateverTheirCase) {
    HeaderFields fields;
    fields.add("Host", "h");
    fields.add("X-Thing", "first");
    fields.add("x-thing", "second");

    EXPECT_EQ(fields.find("x-THING"), "first");
    EXPECT_EQ(fields.find("HOST"), "h");
    EXPECT_EQ(fields.find("X-Thin"), std::nullopt);
    EXPECT_EQ(fields.at(2), (std::pair<std::string_view, std::string_view>("x-thing", "second")));
}

TEST(Request, AsksForItsParametersByName) {
    Request request;
    request.params = {{"image_spec", "rbd/a"}};

    EXPECT_EQ(request.param("image_spec"), "rbd/a");
    EXPECT_THROW(request.param("snap"), std::out_of_range);
}

TEST(Body, SharesTextOrOwnsIt) {
    const auto text = std::make_shared<const std::string>("text");

    EXPECT_EQ(Body("own").view(), "own");
    EXPECT_EQ(Body("own").shared(), nullptr);
    EXPECT_EQ(Body(text).shared(), text);
    EXPECT_TRUE(Body().empty());
    EXPECT_TRUE(Body(std::shared_ptr<const std::string>()).empty());
}

TEST(ErrorResponse, HasTheDashboardsBody) {
    const auto response = error_response(404, "The path '/x' was not found.", "id");

    EXPECT_EQ(response.status, 404);
    EXPECT_EQ(response.content_type, "application/json");
    EXPECT_EQ(response.body.view(),
              R"({"status":"404 Not Found","detail":"The path '/x' was not found.","request_id":"id"})");
}

TEST(ErrorResponse, IsJsonWhateverTheDetailHolds) {
    const auto response = error_response(400, "\xFF\"\n");

    EXPECT_TRUE(nlohmann::json::accept(response.body.view()));
}

TEST(RequestId, IsARandomUuid) {
    std::set<std::string> ids;
    for (int count = 0; count < 1000; ++count) ids.insert(make_request_id());

    EXPECT_EQ(ids.size(), 1000);
    EXPECT_THAT(ids, testing::Each(
                         testing::MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")));
}

}  // namespace
}  // namespace taskd::http
