#include "http/cors_policy.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <taskd/error.hpp>

namespace taskd::http {
namespace {

using testing::Contains;
using testing::Pair;

const CorsPolicy policy({CorsPolicy::parse_origin("https://ui.example"), CorsPolicy::parse_origin("http://h:81")});

std::string allowed(const char* origin) {
    HeaderFields headers;
    headers.add("origin", origin);
    return policy.allowed_origin(headers);
}

TEST(CorsPolicy, ReadsOriginsAsBrowsersSendThem) {
    EXPECT_EQ(CorsPolicy::parse_origin("https://UI.example/"), "https://ui.example");
    EXPECT_EQ(CorsPolicy::parse_origin("http://[::1]:80"), "http://[::1]:80");
    for (const char* text : {"", "*", "null", "ui.example", "ftp://x", "https://", "https:///", "https://a/b",
                             "https://a b", "https://u@h", "https://a,https://b", "://x"})
        EXPECT_THROW(CorsPolicy::parse_origin(text), BadRequest) << text;
}

TEST(CorsPolicy, AllowsExactlyWhatIsListed) {
    EXPECT_EQ(allowed("https://ui.example"), "https://ui.example");
    EXPECT_EQ(allowed("http://h:81"), "http://h:81");
    for (const char* origin :
         {"http://ui.example", "https://ui.example:444", "https://ui.example.evil", "http://h", "null", ""})
        EXPECT_EQ(allowed(origin), "") << origin;
    EXPECT_EQ(policy.allowed_origin(HeaderFields()), "");
}

TEST(CorsPolicy, TellsCachesThatAnswersDiffer) {
    Response without;
    CorsPolicy::allow("", without);
    EXPECT_THAT(without.headers, testing::ElementsAre(Pair("Vary", "Accept-Encoding, Origin")));

    Response with;
    CorsPolicy::allow("https://ui.example", with);
    EXPECT_THAT(with.headers, Contains(Pair("Access-Control-Allow-Origin", "https://ui.example")));
    EXPECT_THAT(with.headers, testing::Not(Contains(Pair("Access-Control-Allow-Credentials", testing::_))));
}

TEST(CorsPolicy, KnowsAPreflightByItsQuestion) {
    Request request;
    request.method = "OPTIONS";
    EXPECT_FALSE(CorsPolicy::is_preflight(request));
    request.headers.add("Access-Control-Request-Method", "DELETE");
    EXPECT_TRUE(CorsPolicy::is_preflight(request));
    request.method = "DELETE";
    EXPECT_FALSE(CorsPolicy::is_preflight(request));
    EXPECT_EQ(CorsPolicy::preflight_answer().status, 204);
}

}  // namespace
}  // namespace taskd::http
