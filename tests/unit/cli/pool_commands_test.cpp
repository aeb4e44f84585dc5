#include "parsing.hpp"

#include <gmock/gmock.h>

namespace taskd::cli {
namespace {

using nlohmann::json;
using testing::HasSubstr;

TEST(PoolCommands, CreateNeedsNameAndGroups) {
    const auto sent = submission({"pool", "create", "vms", "32"});

    EXPECT_EQ(sent.method, "POST");
    EXPECT_EQ(sent.target, "/api/pool");
    EXPECT_EQ(sent.body, json({{"pool", "vms"}, {"pg_num", "32"}, {"pool_type", "replicated"}}));
    EXPECT_NE(refusal({"pool", "create", "vms"}), "");
}

TEST(PoolCommands, CreateTakesApplicationsAndVariables) {
    const auto sent = submission({"pool", "create", "vms", "8", "erasure", "--erasure-code-profile", "k2m1", "--set",
                                  "min_size=2", "--application", "rbd", "--ec-overwrites"});

    EXPECT_EQ(sent.body["pool_type"], "erasure");
    EXPECT_EQ(sent.body["erasure_code_profile"], "k2m1");
    EXPECT_EQ(sent.body["min_size"], "2");
    EXPECT_EQ(sent.body["application_metadata"], json({"rbd"}));
    EXPECT_EQ(sent.body["flags"], json({"ec_overwrites"}));
}

TEST(PoolCommands, EditSendsWhatIsToChange) {
    const auto sent = submission({"pool", "edit", "a pool", "--rename", "vms", "--max-objects", "10"});

    EXPECT_EQ(sent.method, "PUT");
    EXPECT_EQ(sent.target, "/api/pool/a%20pool");
    EXPECT_EQ(sent.body, json({{"pool", "vms"}, {"quota_max_objects", "10"}}));
}

TEST(PoolCommands, ASettingIsAPair) {
    EXPECT_THAT(refusal({"pool", "edit", "vms", "--set", "size"}), HasSubstr("--set"));
}

TEST(PoolCommands, RemovalIsMeantTwice) {
    EXPECT_EQ(submission({"pool", "rm", "vms", "vms", "--yes-i-really-really-mean-it"}).method, "DELETE");
    EXPECT_NE(refusal({"pool", "rm", "vms", "vms"}), "");
    EXPECT_THAT(refusal({"pool", "rm", "vms", "other", "--yes-i-really-really-mean-it"}), HasSubstr("again"));
}

TEST(PoolCommands, EveryHelpHasAnExample) {
    for (const auto* command : {"create", "edit", "rm"})
        EXPECT_THAT(parsed<Print>({"pool", command, "--help"}).text, HasSubstr("  ceph-task ")) << command;
}

}  // namespace
}  // namespace taskd::cli
