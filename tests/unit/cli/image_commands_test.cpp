#include "parsing.hpp"

#include <gmock/gmock.h>

namespace taskd::cli {
namespace {

using nlohmann::json;
using testing::HasSubstr;

TEST(ImageCommands, ResizeCountsInMebibytesAndShrinksOnlyWhenTold) {
    const auto grown = submission({"rbd", "resize", "rbd/vm", "--size", "20G"});
    EXPECT_EQ(grown.method, "POST");
    EXPECT_EQ(grown.target, "/api/block/image/rbd%2Fvm/resize");
    EXPECT_EQ(grown.body, json({{"size", 20ULL << 30}}));

    const auto shrunk = submission({"rbd", "resize", "--image", "vm", "-s", "1", "--allow-shrink"});
    EXPECT_EQ(shrunk.target, "/api/block/image/rbd%2Fvm/resize");
    EXPECT_EQ(shrunk.body, json({{"size", 1 << 20}, {"allow_shrink", true}}));
    EXPECT_NE(refusal({"rbd", "resize", "rbd/vm"}), "");
}

TEST(ImageCommands, RenameStaysInItsPool) {
    for (const std::vector<std::string>& arguments :
         {std::vector<std::string>{"rbd", "rename", "p/n/a", "p/n/b"},
          {"rbd", "mv", "p/n/a", "b"},
          {"rbd", "rename", "p/n/a", "--dest", "b"},
          {"rbd", "rename", "--pool", "p", "--namespace", "n", "--image", "a", "b"}}) {
        const auto sent = submission(arguments);
        EXPECT_EQ(sent.method, "PUT");
        EXPECT_EQ(sent.target, "/api/block/image/p%2Fn%2Fa");
        EXPECT_EQ(sent.body, json({{"name", "b"}}));
    }
    EXPECT_THAT(refusal({"rbd", "rename", "p/a", "q/a"}), HasSubstr("not in the pool"));
    EXPECT_NE(refusal({"rbd", "rename", "p/a"}), "");
}

TEST(ImageCommands, FlattenSendsNothingButTheImage) {
    const auto sent = submission({"rbd", "flatten", "rbd/a b"});

    EXPECT_EQ(sent.method, "POST");
    EXPECT_EQ(sent.target, "/api/block/image/rbd%2Fa%20b/flatten");
    EXPECT_EQ(sent.body, json::object());
    EXPECT_EQ(sent.label, "rbd flatten rbd/a b");
}

TEST(ImageCommands, SparsifyCountsInBytes) {
    EXPECT_EQ(submission({"rbd", "sparsify", "vm"}).body, json::object());
    EXPECT_EQ(submission({"rbd", "sparsify", "vm", "--sparse-size", "8K"}).body, json({{"sparse_size", 8192}}));
}

TEST(ImageCommands, FeaturesAreSwitchedOneWay) {
    const auto on = submission({"rbd", "feature", "enable", "vm", "object-map", "fast-diff"});
    const auto off = submission({"rbd", "feature", "disable", "--image", "vm", "journaling"});

    EXPECT_EQ(on.method, "PUT");
    EXPECT_EQ(on.body, json({{"enable_features", {"object-map", "fast-diff"}}}));
    EXPECT_EQ(off.target, "/api/block/image/rbd%2Fvm");
    EXPECT_EQ(off.body, json({{"disable_features", {"journaling"}}}));
    EXPECT_NE(refusal({"rbd", "feature", "enable", "vm"}), "");
    EXPECT_NE(refusal({"rbd", "feature", "enable", "vm", "bogus"}), "");
}

TEST(ImageCommands, AMapIsThatOfAnImageOrOfASnapshot) {
    EXPECT_EQ(submission({"rbd", "object-map", "rebuild", "vm"}).body, json::object());
    EXPECT_EQ(submission({"rbd", "object-map", "rebuild", "vm@s"}).body, json({{"snapshot_name", "s"}}));
    EXPECT_EQ(submission({"rbd", "object-map", "rebuild", "vm@s"}).target,
              "/api/block/image/rbd%2Fvm/object_map/rebuild");
}

TEST(ImageCommands, ConfigurationIsSetAndRemoved) {
    EXPECT_EQ(submission({"rbd", "config", "image", "set", "vm", "rbd_qos_iops_limit", "5"}).body,
              json({{"configuration", {{"rbd_qos_iops_limit", "5"}}}}));
    EXPECT_EQ(submission({"rbd", "config", "image", "remove", "vm", "rbd_qos_iops_limit"}).body,
              json({{"configuration", {{"rbd_qos_iops_limit", nullptr}}}}));
}

TEST(CopyCommands, CpNamesBothImages) {
    const auto sent = submission({"rbd", "cp", "p/n/a@s", "q/b", "--object-size", "1M", "--config", "rbd_cache=false"});

    EXPECT_EQ(sent.method, "POST");
    EXPECT_EQ(sent.target, "/api/block/image/p%2Fn%2Fa/copy");
    EXPECT_EQ(sent.body, json({{"dest_pool_name", "q"},
                               {"dest_namespace", nullptr},
                               {"dest_image_name", "b"},
                               {"snapshot_name", "s"},
                               {"obj_size", 1 << 20},
                               {"configuration", {{"rbd_cache", "false"}}}}));
}

TEST(CopyCommands, OptionsMayNameTheImages) {
    const auto by_options = submission({"rbd", "copy", "-p", "p", "--image", "a", "--snap", "s", "--dest-pool", "q",
                                        "--dest-namespace", "n", "--dest", "b"});
    EXPECT_EQ(by_options.target, "/api/block/image/p%2Fa/copy");
    EXPECT_EQ(by_options.body["dest_namespace"], "n");
    EXPECT_EQ(by_options.body["snapshot_name"], "s");

    const auto mixed = submission({"rbd", "cp", "--image", "a", "b"});
    EXPECT_EQ(mixed.target, "/api/block/image/rbd%2Fa/copy");
    EXPECT_EQ(mixed.body["dest_image_name"], "b");
    EXPECT_NE(refusal({"rbd", "cp", "a"}), "");
    EXPECT_NE(refusal({"rbd", "cp", "a@s", "b", "--snap", "t"}), "");
    EXPECT_NE(refusal({"rbd", "cp", "a@", "b"}), "");
}

TEST(CopyCommands, DeepCpMayFlatten) {
    const auto sent = submission({"rbd", "deep", "cp", "a", "b", "--flatten"});

    EXPECT_EQ(sent.target, "/api/block/image/rbd%2Fa/deep_copy");
    EXPECT_EQ(sent.body["flatten"], true);
}

TEST(CopyCommands, MigrationHasFourSteps) {
    const auto prepare = submission({"rbd", "migration", "prepare", "rbd/a", "ssd/a"});
    EXPECT_EQ(prepare.target, "/api/block/image/rbd%2Fa/migration/prepare");
    EXPECT_EQ(prepare.body["dest_pool_name"], "ssd");
    EXPECT_EQ(submission({"rbd", "migration", "prepare", "p/n/a"}).body,
              json({{"dest_pool_name", "p"}, {"dest_namespace", "n"}, {"dest_image_name", "a"}}));
    for (const std::string step : {"execute", "commit", "abort"}) {
        const auto sent = submission({"rbd", "migration", step, "ssd/a"});
        EXPECT_EQ(sent.target, "/api/block/image/ssd%2Fa/migration/" + step);
        EXPECT_EQ(sent.body, json::object());
    }
}

}  // namespace
}  // namespace taskd::cli
