#include "cli/submissions.hpp"

#include <gtest/gtest.h>
#include <taskd/error.hpp>

namespace taskd::cli {
namespace {

using nlohmann::json;

TEST(CreateImage, SendsOnlyWhatWasGiven) {
    const Submission submission = create_image({.spec = "rbd/vm-1", .size = "10G"});
    EXPECT_EQ(submission.method, "POST");
    EXPECT_EQ(submission.target, "/api/block/image");
    EXPECT_EQ(submission.body, (json{{"name", "vm-1"}, {"pool_name", "rbd"}, {"size", 10ULL << 30}}));
}

TEST(CreateImage, SendsEveryOptionUnderTheDashboardsName) {
    const Submission submission = create_image({.spec = "p/n/vm",
                                                .size = "1",
                                                .object_size = "8M",
                                                .stripe_unit = "64K",
                                                .stripe_count = "4",
                                                .data_pool = "ec",
                                                .features = {"layering", "exclusive-lock"},
                                                .configuration = {"rbd_cache=false", "a=b=c"}});
    EXPECT_EQ(submission.body, (json{{"name", "vm"},
                                     {"pool_name", "p"},
                                     {"namespace", "n"},
                                     {"size", 1 << 20},
                                     {"obj_size", 8 << 20},
                                     {"stripe_unit", 64 << 10},
                                     {"stripe_count", 4},
                                     {"data_pool", "ec"},
                                     {"features", {"layering", "exclusive-lock"}},
                                     {"configuration", {{"rbd_cache", "false"}, {"a", "b=c"}}}}));
}

TEST(CreateImage, RefusesAFeatureThatTheDaemonWouldIgnore) {
    EXPECT_THROW(create_image({.spec = "a", .size = "1", .features = {"layering", "exclusive_lock"}}), BadRequest);
}

TEST(CreateImage, RefusesObjectSizesThatRbdRefuses) {
    for (const char* size : {"4095", "1K", "33M", "0"}) {
        EXPECT_THROW(create_image({.spec = "a", .size = "1", .object_size = size}), BadRequest) << size;
    }
}

TEST(CreateImage, StripingNeedsBothNumbers) {
    EXPECT_THROW(create_image({.spec = "a", .size = "1", .stripe_unit = "4K"}), BadRequest);
    EXPECT_THROW(create_image({.spec = "a", .size = "1", .stripe_count = "4"}), BadRequest);
    EXPECT_THROW(create_image({.spec = "a", .size = "1", .stripe_unit = "4K", .stripe_count = "0"}), BadRequest);
    EXPECT_THROW(create_image({.spec = "a", .size = "1", .stripe_unit = "4K", .stripe_count = "4x"}), BadRequest);
}

TEST(CreateImage, ConfigurationIsKeyAndValue) {
    EXPECT_THROW(create_image({.spec = "a", .size = "1", .configuration = {"rbd_cache"}}), BadRequest);
    EXPECT_THROW(create_image({.spec = "a", .size = "1", .configuration = {"=x"}}), BadRequest);
}

TEST(RemoveImage, RefusesSnapshotsUnlessToldToPurgeThem) {
    EXPECT_EQ(remove_image("rbd/a b", "", "", "", false).target, "/api/block/image/rbd%2Fa%20b?snapshots=refuse");
    EXPECT_EQ(remove_image("rbd/vm", "", "", "", true).target, "/api/block/image/rbd%2Fvm");
    EXPECT_EQ(remove_image("rbd/vm", "", "", "", true).method, "DELETE");
    EXPECT_EQ(remove_image("rbd/vm", "", "", "", true).body, nullptr);
}

TEST(RemoveImage, MaySayWhichIdIsMeant) {
    EXPECT_EQ(remove_image("rbd/10ab", "", "", "", false, "10ab").target,
              "/api/block/image/rbd%2F10ab?snapshots=refuse&image_id=10ab");
    EXPECT_EQ(remove_image("rbd/vm", "", "", "", true, "10ab").target, "/api/block/image/rbd%2Fvm?image_id=10ab");
}

TEST(ClusterCommand, JsonGoesAsItIs) {
    const Submission submission = cluster_command("", {R"({"prefix":"osd pool ls","detail":"detail"})"});
    EXPECT_EQ(submission.body,
              (json{{"target", "mon"}, {"command", {{"prefix", "osd pool ls"}, {"detail", "detail"}}}}));
    EXPECT_EQ(submission.label, "command osd pool ls");
}

TEST(ClusterCommand, WordsAreLeftToTheDaemon) {
    EXPECT_EQ(cluster_command("", {"osd", "pool", "ls", "detail"}).body,
              (json{{"words", {"osd", "pool", "ls", "detail"}}}));
    EXPECT_EQ(cluster_command("osd.3", {"bench"}).body, (json{{"target", "osd.3"}, {"words", {"bench"}}}));
}

TEST(ClusterCommand, BrokenJsonIsRefusedHere) {
    for (const char* text : {"{", "{}", R"({"prefix":5})", R"({"prefix":"a"} b)"}) {
        EXPECT_THROW(cluster_command("", {text}), BadRequest) << text;
    }
}

}  // namespace
}  // namespace taskd::cli
