#include "parsing.hpp"

#include <gmock/gmock.h>

namespace taskd::cli {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using Words = std::vector<std::string>;

constexpr const char* pool = "/api/block/mirroring/pool/rbd";

Words mirror(const Words& words) {
    Words all{"rbd", "mirror"};
    all.insert(all.end(), words.begin(), words.end());
    return all;
}

TEST(MirrorCommands, MirroringOfAnImageIsAnEdit) {
    for (const auto& [words, body] :
         {std::pair<Words, json>{{"enable", "p/vm"}, {{"enable_mirror", true}, {"mirror_mode", "journal"}}},
          {{"enable", "p/vm", "snapshot"}, {{"enable_mirror", true}, {"mirror_mode", "snapshot"}}},
          {{"enable", "-p", "p", "--image", "vm", "snapshot"}, {{"enable_mirror", true}, {"mirror_mode", "snapshot"}}},
          {{"disable", "p/vm"}, {{"enable_mirror", false}}},
          {{"promote", "p/vm"}, {{"primary", true}}},
          {{"promote", "p/vm", "--force"}, {{"primary", true}, {"force", true}}},
          {{"demote", "p/vm"}, {{"primary", false}}},
          {{"resync", "p/vm"}, {{"resync", true}}}}) {
        Words all = mirror({"image"});
        all.insert(all.end(), words.begin(), words.end());
        const auto sent = submission(all);
        EXPECT_EQ(sent.method, "PUT");
        EXPECT_EQ(sent.target, "/api/block/image/p%2Fvm");
        EXPECT_EQ(sent.body, body);
        EXPECT_EQ(sent.label, "rbd mirror image " + words.front() + " p/vm");
    }
    EXPECT_THAT(refusal(mirror({"image", "enable", "p/vm", "magic"})), HasSubstr("'magic'"));
    EXPECT_NE(refusal(mirror({"image", "enable"})), "");
}

TEST(MirrorCommands, SchedulesAreEditsToo) {
    EXPECT_EQ(submission(mirror({"snapshot", "schedule", "add", "--image", "vm", "2h"})).body,
              json({{"schedule_interval", "2h"}}));
    EXPECT_EQ(submission(mirror({"snapshot", "schedule", "remove", "--image", "vm"})).body,
              json({{"remove_scheduling", true}}));
    EXPECT_NE(refusal(mirror({"snapshot", "schedule", "add", "2h"})), "") << "no image is named";
}

TEST(MirrorCommands, AModeIsOfAPool) {
    for (const auto& words : {Words{"rbd", "image"}, {"-p", "rbd", "image"}}) {
        Words all = mirror({"pool", "enable"});
        all.insert(all.end(), words.begin(), words.end());
        const auto sent = submission(all);
        EXPECT_EQ(sent.method, "PUT");
        EXPECT_EQ(sent.target, pool);
        EXPECT_EQ(sent.body, json({{"mirror_mode", "image"}}));
    }
    EXPECT_EQ(submission(mirror({"pool", "disable"})).body, json({{"mirror_mode", "disabled"}}));
    EXPECT_THAT(refusal(mirror({"pool", "enable", "rbd", "all"})), HasSubstr("'all'"));
    EXPECT_NE(refusal(mirror({"pool", "enable", "rbd"})), "");
    EXPECT_NE(refusal(mirror({"pool", "enable", "-p", "rbd", "rbd", "image"})), "") << "the pool comes twice";
}

TEST(MirrorCommands, APeerIsAClientAtASite) {
    const auto sent = submission(mirror({"pool", "peer", "add", "rbd", "client.peer@site-b"}));
    EXPECT_EQ(sent.method, "POST");
    EXPECT_EQ(sent.target, std::string(pool) + "/peer");
    EXPECT_EQ(sent.body, json({{"cluster_name", "site-b"}, {"client_id", "peer"}}));
    EXPECT_EQ(submission(mirror({"pool", "peer", "add", "rbd", "site-b"})).body["client_id"], "admin");
    EXPECT_NE(refusal(mirror({"pool", "peer", "add", "rbd", "peer@site-b"})), "");
    EXPECT_NE(refusal(mirror({"pool", "peer", "add", "rbd", "client.peer@"})), "");
}

TEST(MirrorCommands, APeerIsNamedByItsUuid) {
    const auto removed = submission(mirror({"pool", "peer", "remove", "rbd", "U"}));
    EXPECT_EQ(removed.method, "DELETE");
    EXPECT_EQ(removed.target, std::string(pool) + "/peer/U");
    EXPECT_EQ(removed.body, json());

    for (const auto& words : {Words{"rbd", "U", "mon-host", "10.0.0.1"}, {"-p", "rbd", "U", "mon-host", "10.0.0.1"}}) {
        Words all = mirror({"pool", "peer", "set"});
        all.insert(all.end(), words.begin(), words.end());
        const auto set = submission(all);
        EXPECT_EQ(set.method, "PUT");
        EXPECT_EQ(set.target, std::string(pool) + "/peer/U");
        EXPECT_EQ(set.body, json({{"mon_host", "10.0.0.1"}}));
    }
    EXPECT_EQ(submission(mirror({"pool", "peer", "set", "rbd", "U", "client", "client.x"})).body,
              json({{"client_id", "x"}}));
    EXPECT_NE(refusal(mirror({"pool", "peer", "set", "rbd", "U", "colour", "red"})), "");
    EXPECT_NE(refusal(mirror({"pool", "peer", "set", "rbd", "U", "client"})), "");
}

TEST(MirrorCommands, ATokenIsPrintedAndReadFromAFile) {
    const auto made = parsed<Submit>(mirror({"pool", "peer", "bootstrap", "create", "rbd"}));
    EXPECT_EQ(made.tasks.at(0).target, std::string(pool) + "/bootstrap/token");
    EXPECT_EQ(made.printed_member, "token");

    for (const auto& words : {Words{"rbd", "token.txt"}, {"rbd", "--token-path", "token.txt"}}) {
        Words all = mirror({"pool", "peer", "bootstrap", "import", "--direction", "rx-only"});
        all.insert(all.end(), words.begin(), words.end());
        const auto taken = parsed<Submit>(all);
        EXPECT_EQ(taken.tasks.at(0).target, std::string(pool) + "/bootstrap/peer");
        EXPECT_EQ(taken.tasks.at(0).body, json({{"direction", "rx"}}));
        EXPECT_EQ(taken.input.file, "token.txt");
        EXPECT_EQ(taken.input.member, "token");
        EXPECT_TRUE(taken.input.is_a_word);
    }
    EXPECT_NE(refusal(mirror({"pool", "peer", "bootstrap", "import", "rbd"})), "");
}

TEST(MirrorCommands, InfoIsOfAPool) {
    EXPECT_EQ(parsed<LookAtMirroring>(mirror({"pool", "info"})).pool, "rbd");
    EXPECT_EQ(parsed<LookAtMirroring>(mirror({"pool", "info", "vms"})).pool, "vms");
}

}  // namespace
}  // namespace taskd::cli
