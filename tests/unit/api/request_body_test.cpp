#include "api/request_body.hpp"

#include <string>
#include <utility>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <taskd/error.hpp>

namespace taskd::api {
namespace {

using nlohmann::json;

http::Request post(std::string body, const std::string& content_type = "application/json",
                   std::vector<http::NameValue> query = {}) {
    http::Request request;
    if (!content_type.empty()) request.headers.add("Content-Type", content_type);
    request.body = std::move(body);
    request.query = std::move(query);
    return request;
}

http::Request with_query(std::vector<http::NameValue> query) {
    http::Request request;
    request.query = std::move(query);
    return request;
}

/// Status and detail of the answer to a request that cannot be read; 200 when it can.
std::pair<int, std::string> answer_to(const http::Request& request, EmptyBody empty = EmptyBody::refused) {
    try {
        read_arguments(request, empty);
        return {200, {}};
    } catch (const Unreadable& unreadable) {
        return {unreadable.response.status, json::parse(unreadable.response.body.view())["detail"]};
    }
}

std::string field_of_mistake(const std::function<void()>& call) {
    try {
        call();
    } catch (const BadRequest& mistake) {
        return mistake.field();
    }
    return "no mistake";
}

const std::pair<int, std::string> bad_document{400, "Invalid JSON document"};
const std::pair<int, std::string> wrong_type{415,
                                             "Expected an entity of content type application/json, text/javascript"};

std::string nested(int depth) {
    return R"({"a":)" + std::string(static_cast<std::size_t>(depth), '[') +
           std::string(static_cast<std::size_t>(depth), ']') + "}";
}

TEST(ReadArguments, AreTheMembersOfTheBody) {
    EXPECT_EQ(read_arguments(post(R"({"name":"x","size":5,"data_pool":null})")),
              json({{"name", "x"}, {"size", 5}, {"data_pool", nullptr}}));
}

TEST(ReadArguments, TheQueryAddsWhatTheBodyLacks) {
    EXPECT_EQ(read_arguments(post(R"({"name":"x"})", "application/json", {{"name", "y"}, {"pool_name", "rbd"}})),
              json({{"name", "x"}, {"pool_name", "rbd"}}));
}

TEST(ReadArguments, BothJsonTypesAndTheirParametersAreTaken) {
    for (const auto* type : {"application/json", "text/javascript", "application/json; charset=utf-8",
                             "application/json;charset=UTF-8", "Application/JSON ; x=y"})
        EXPECT_EQ(answer_to(post("{}", type)).first, 200) << type;
}

TEST(ReadArguments, AnyOtherTypeIsRefused) {
    for (const auto* type : {"", "text/plain", "application/x-www-form-urlencoded", "application/jsonx", "json"})
        EXPECT_EQ(answer_to(post("{}", type)), wrong_type) << type;
}

TEST(ReadArguments, ABodyThatIsNoJsonIsRefused) {
    for (const auto* body : {"", "{", "{\"a\":}", "{} x", "\xff", "{\"a\":\"\xff\"}", "NaN"})
        EXPECT_EQ(answer_to(post(body)), bad_document) << body;
}

TEST(ReadArguments, JsonThatIsNoObjectIsAMistake) {
    for (const auto* body : {"null", "[]", "\"x\"", "5", "true"})
        EXPECT_EQ(field_of_mistake([&] { read_arguments(post(body)); }), "body") << body;
}

TEST(ReadArguments, JsonThatIsNestedTooDeepIsRefused) {
    EXPECT_EQ(answer_to(post(nested(20))).first, 200);
    EXPECT_EQ(answer_to(post(nested(100))), bad_document);
    EXPECT_EQ(answer_to(post(nested(400'000))), bad_document);
}

TEST(ReadArguments, WhereTheBodyMayBeEmptyItMayHaveNoType) {
    EXPECT_EQ(read_arguments(post("", "", {{"a", "b"}}), EmptyBody::allowed), json({{"a", "b"}}));
    EXPECT_EQ(answer_to(post("x", ""), EmptyBody::allowed), wrong_type);
    EXPECT_EQ(answer_to(post(""), EmptyBody::allowed), bad_document);
}

TEST(RefuseBadJson, LooksOnlyAtWhatSaysThatItIsJson) {
    const auto status = [](std::string method, http::Request request) {
        request.method = std::move(method);
        const auto refusal = refuse_bad_json(request);
        return refusal ? refusal->status : 0;
    };
    EXPECT_EQ(status("POST", post("{bad")), 400);
    EXPECT_EQ(status("PUT", post("")), 400);
    EXPECT_EQ(status("POST", post("{}")), 0);
    EXPECT_EQ(status("POST", post("{bad", "text/plain")), 0);
    EXPECT_EQ(status("DELETE", post("{bad")), 0);
}

TEST(ReadArguments, AParameterGivenTwiceIsAMistake) {
    EXPECT_EQ(field_of_mistake([] { read_arguments(post("{}", "application/json", {{"a", "1"}, {"a", "2"}})); }), "a");
}

TEST(Query, TheOneValueOrNone) {
    const auto request = with_query({{"a", "1"}, {"b", ""}});

    EXPECT_EQ(query_value(request, "a"), "1");
    EXPECT_EQ(query_value(request, "b"), "");
    EXPECT_EQ(query_value(request, "c"), std::nullopt);
    EXPECT_EQ(field_of_mistake([] { query_value(with_query({{"a", "1"}, {"a", "1"}}), "a"); }), "a");
}

TEST(Query, AnUnknownParameterIsAMistakeThatNamesIt) {
    EXPECT_NO_THROW(require_known_query(with_query({{"a", "1"}}), {"a", "b"}));
    EXPECT_NO_THROW(require_known_query({}, {}));
    EXPECT_EQ(field_of_mistake([] { require_known_query(with_query({{"a", "1"}, {"x", "1"}}), {"a", "b"}); }), "x");
}

TEST(Query, FlagsAreReadAsTheDashboardReadsThem) {
    for (const auto* yes : {"true", "True", "TRUE", "yes", "on", "1", "t", "y"})
        EXPECT_TRUE(query_flag(with_query({{"force", yes}}), "force")) << yes;
    for (const auto* no : {"false", "False", "no", "off", "0", "f", "n", ""})
        EXPECT_FALSE(query_flag(with_query({{"force", no}}), "force")) << no;
    EXPECT_FALSE(query_flag({}, "force"));
}

TEST(Query, AFlagThatIsNeitherIsAMistake) {
    for (const auto* text : {"2", "maybe", "truee", " true"})
        EXPECT_EQ(field_of_mistake([&] { query_flag(with_query({{"force", text}}), "force"); }), "force") << text;
}

}  // namespace
}  // namespace taskd::api
