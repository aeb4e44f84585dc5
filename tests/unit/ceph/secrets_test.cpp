#include "ceph/secrets.hpp"

#include <utility>
#include <vector>

#include <gmock/gmock.h>

namespace taskd::ceph {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

// Each of its form, and none of a cluster.
constexpr const char* cephx_key = "AQCgJApr4cqiMRAAv4E9WaPIvcHBeZXF3GE/XA==";
constexpr const char* jwt = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ1c2VybmFtZSI6ImFkbWluIn0.c2lnbmF0dXJl-_";
/// {"fsid":"…","client_id":"rbd-mirror-peer"}
constexpr const char* bootstrap_token = "eyJmc2lkIjoiOWY1MjgyYjIiLCJjbGllbnRfaWQiOiJyYmQtbWlycm9yLXBlZXIifQ==";

TEST(SecretNames, AreThoseOfKeysPasswordsAndTokens) {
    for (const auto* name :
         {"key", "secret_key", "api-key", "apiKey", "AccessKey", "password", "new_password", "passwd", "passphrase",
          "secret", "rgw_secret", "token", "bootstrap-token", "credentials", "keyring"})
        EXPECT_TRUE(names_a_secret(name)) << name;
    for (const auto* name : {"", "monkey", "key_type", "keys_total", "pool", "name", "pass", "author"})
        EXPECT_FALSE(names_a_secret(name)) << name;
}

TEST(SecretsOfATextAreMasked, ByTheirForm) {
    for (const std::string secret : {cephx_key, jwt, bootstrap_token})
        for (const std::string around : {"", " ", "'", "\"", "\n"})
            EXPECT_EQ(without_secrets("it is " + around + secret + around + " there"),
                      "it is " + around + "***" + around + " there");
    EXPECT_EQ(without_secrets("-----BEGIN RSA PRIVATE KEY-----\nMIIabc\n-----END RSA PRIVATE KEY-----\nrest"),
              "***\nrest");
    EXPECT_EQ(without_secrets("cut: -----BEGIN PRIVATE KEY-----\nMIIabc"), "cut: ***");
    EXPECT_EQ(without_secrets("at https://admin:hun:ter@2@host:5000/path?x=a@b"),
              "at https://admin:***@host:5000/path?x=a@b");
}

TEST(SecretsOfATextAreMasked, BehindTheirNames) {
    for (const auto& [text, shown] : std::vector<std::pair<std::string, std::string>>{
             {"password=hunter2 user=x", "password=*** user=x"},
             {"\tkey = hunter2\n\tcaps mon = \"allow *\"", "\tkey = ***\n\tcaps mon = \"allow *\""},
             {R"({"key": "hunter2", "id": 5})", R"({"key": "***", "id": 5})"},
             {R"({\"key\": \"hunter2\"})", R"({\"key\": \"***"})"},
             {"--secret hunter2 --force", "--secret *** --force"},
             {"--rgw-secret-key=hunter2", "--rgw-secret-key=***"},
             {"rgw_secret = 'hunter2' (not observed)", "rgw_secret = '***' (not observed)"},
             {"token: hunter2, more", "token: ***, more"}}) {
        const auto masked = without_secrets(text);
        EXPECT_EQ(masked, shown);
        EXPECT_EQ(without_secrets(masked), masked) << "once is enough";
    }
}

TEST(SecretsOfATextAreMasked, AndNothingElseIs) {
    for (const auto* text :
         {"", "osd.0 is up", "pool 'rbd' created", "no such key 'a'", "{\"key_type\":5,\"keys\":[1]}", "AQ==", "eyJx",
          "https://host:5000/path", "https://host/a@b:c", "mon.a@0(leader)", "-----BEGIN CERTIFICATE-----\nMII"})
        EXPECT_EQ(without_secrets(text), text);
}

TEST(SecretsOfACommandAreMasked, InItsArguments) {
    const json command{{"prefix", "fs snapshot mirror peer_add"},
                       {"cephx_key", "hunter2"},
                       {"remote", "client.a@b"},
                       {"caps", {"mon", "allow *"}},
                       {"injected_args", json::array({"--rgw-secret=hunter2"})}};
    EXPECT_EQ(command_without_secrets(command), (json{{"prefix", "fs snapshot mirror peer_add"},
                                                      {"cephx_key", "***"},
                                                      {"remote", "client.a@b"},
                                                      {"caps", {"mon", "allow *"}},
                                                      {"injected_args", json::array({"--rgw-secret=***"})}}));
}

TEST(SecretsOfACommandAreMasked, WhereItStoresAValueUnderAKey) {
    EXPECT_EQ(command_without_secrets({{"prefix", "config-key set"}, {"key", "a/password"}, {"val", "hunter2"}}),
              (json{{"prefix", "config-key set"}, {"key", "a/password"}, {"val", "***"}}));
    EXPECT_EQ(command_without_secrets({{"prefix", "config set"}, {"who", "mgr"}, {"name", "a"}, {"value", "hunter2"}}),
              (json{{"prefix", "config set"}, {"who", "mgr"}, {"name", "a"}, {"value", "***"}}));
}

TEST(SecretsOfAnAnswerAreMasked, WhenItRepeatsTheCommands) {
    const json command{{"prefix", "config set"}, {"name", "a"}, {"value", "hunter2"}};
    EXPECT_EQ(said_without_secrets("error parsing value: 'hunter2' is no number", command),
              "error parsing value: '***' is no number");
    EXPECT_EQ(said_without_secrets("1 is no number", {{"prefix", "config set"}, {"value", "1"}}), "1 is no number");
}

TEST(SecretsOfAnAnswerAreMasked, AltogetherWhereTheCommandTellsThem) {
    const json answer{{"return_code", 0}, {"status", ""}, {"output", "hunter2"}, {"output_format", "text"}};
    json withheld = answer;
    withheld["output"] = "***";
    withheld["withheld"] = true;
    for (const auto* prefix :
         {"auth get-key", "auth get", "auth ls", "auth print-key", "auth get-or-create", "config-key get",
          "config-key dump", "config dump", "config get", "dashboard get-rgw-api-secret-key", "dashboard ac-user-show",
          "fs authorize", "fs snapshot mirror peer_bootstrap create", "restful list-keys", "log last"})
        EXPECT_EQ(answer_without_secrets(answer, {{"prefix", prefix}}), withheld) << prefix;
    for (const auto* prefix : {"osd tree", "status", "osd pool ls", "fs ls", "pg dump"})
        EXPECT_EQ(answer_without_secrets(answer, {{"prefix", prefix}}), answer) << prefix;
}

TEST(SecretsOfAnAnswerAreMasked, InTheMembersAndTextsOfOthers) {
    const json answer{{"status", std::string("new key ") + cephx_key},
                      {"output", {{"a", {{"secret_key", "hunter2"}, {"id", 5}}}, {"list", {cephx_key, "b"}}}}};
    const auto shown = answer_without_secrets(answer, {{"prefix", "nfs export info"}});
    EXPECT_EQ(shown["status"], "new key ***");
    EXPECT_EQ(shown["output"], (json{{"a", {{"secret_key", "***"}, {"id", 5}}}, {"list", {"***", "b"}}}));
    EXPECT_THAT(shown.dump(), Not(HasSubstr("hunter2")));
}

}  // namespace
}  // namespace taskd::ceph
