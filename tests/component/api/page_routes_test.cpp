#include "api_server.hpp"
#include "page/assets.hpp"

namespace taskd::api {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class PageRoutesTest : public ApiTest {
  protected:
    http::ClientResponse ask(std::string_view path, std::vector<http::NameValue> headers = {}) {
        http::Client client(server.endpoints().front());
        return client.request("GET", std::string(path), headers, {}, std::chrono::seconds(60));
    }
};

TEST_F(PageRoutesTest, AnswerWithEachFileAndAllowNothingFromElsewhere) {
    ASSERT_FALSE(page::assets().empty());
    for (const auto& asset : page::assets()) {
        const auto answer = ask(asset.path);

        EXPECT_EQ(answer.status, 200) << asset.path;
        EXPECT_EQ(answer.body, asset.body) << asset.path;
        EXPECT_THAT(std::string(answer.header("Content-Type").value_or("")), HasSubstr(std::string(asset.type)));
        EXPECT_EQ(answer.header("X-Content-Type-Options"), "nosniff");
        const std::string policy(answer.header("Content-Security-Policy").value_or(""));
        EXPECT_THAT(policy, HasSubstr("default-src 'none'"));
        EXPECT_THAT(policy, Not(HasSubstr("unsafe")));
    }
}

TEST_F(PageRoutesTest, SendNoFileThatTheBrowserHas) {
    const auto first = ask("/");
    const std::string etag(first.header("ETag").value_or(""));
    ASSERT_FALSE(etag.empty());

    const auto again = ask("/", {{"If-None-Match", etag}});

    EXPECT_EQ(again.status, 304);
    EXPECT_EQ(again.body, "");
    EXPECT_EQ(again.header("ETag"), etag);
    EXPECT_EQ(ask("/", {{"If-None-Match", "W/\"another\""}}).status, 200);
}

TEST_F(PageRoutesTest, ThePageAsksOnlyForWhatIsThere) {
    const auto document = ask("/").body;
    for (const auto& asset : page::assets())
        if (asset.path.ends_with(".css")) {
            EXPECT_THAT(document, HasSubstr(std::string(asset.path)));
        }
    EXPECT_THAT(document, Not(HasSubstr("http:"))) << "the page needs nothing from elsewhere";
    EXPECT_THAT(document, Not(HasSubstr("<style"))) << "the policy forbids it";
}

}  // namespace
}  // namespace taskd::api
