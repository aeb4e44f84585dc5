#include "parsing.hpp"

#include <gmock/gmock.h>

namespace taskd::cli {
namespace {

using nlohmann::json;

TEST(SnapshotCommands, CreateNamesTheSnapshotInTheBody) {
    const auto sent = submission({"rbd", "snap", "create", "p/n/vm@s"});

    EXPECT_EQ(sent.method, "POST");
    EXPECT_EQ(sent.target, "/api/block/image/p%2Fn%2Fvm/snap");
    EXPECT_EQ(sent.body, json({{"snapshot_name", "s"}, {"mirrorImageSnapshot", false}}));
    EXPECT_EQ(sent.label, "rbd snap create p/n/vm@s");
}

TEST(SnapshotCommands, OptionsMayNameTheSnapshot) {
    for (const std::vector<std::string>& arguments :
         {std::vector<std::string>{"rbd", "snap", "rm", "rbd/vm@s"},
          {"rbd", "snap", "remove", "vm@s"},
          {"rbd", "snap", "rm", "-p", "rbd", "--image", "vm", "--snap", "s"}})
        EXPECT_EQ(submission(arguments).target, "/api/block/image/rbd%2Fvm/snap/s");
    EXPECT_NE(refusal({"rbd", "snap", "rm", "rbd/vm"}), "");
    EXPECT_NE(refusal({"rbd", "snap", "rm", "rbd/vm@s", "--snap", "t"}), "");
}

TEST(SnapshotCommands, ForceIsSaid) {
    EXPECT_EQ(submission({"rbd", "snap", "rm", "vm@s", "--force"}).target,
              "/api/block/image/rbd%2Fvm/snap/s?force=true");
    EXPECT_EQ(submission({"rbd", "snap", "rollback", "vm@s"}).body, json::object());
    EXPECT_EQ(submission({"rbd", "snap", "rollback", "vm@s", "--force"}).body, json({{"force", true}}));
}

TEST(SnapshotCommands, RenameStaysWithItsImage) {
    for (const std::vector<std::string>& arguments :
         {std::vector<std::string>{"rbd", "snap", "rename", "rbd/vm@s", "rbd/vm@t"},
          {"rbd", "snap", "rename", "vm@s", "--dest-snap", "t"}}) {
        const auto sent = submission(arguments);
        EXPECT_EQ(sent.method, "PUT");
        EXPECT_EQ(sent.target, "/api/block/image/rbd%2Fvm/snap/s");
        EXPECT_EQ(sent.body, json({{"new_snap_name", "t"}}));
    }
    EXPECT_NE(refusal({"rbd", "snap", "rename", "vm@s", "other@t"}), "");
    EXPECT_NE(refusal({"rbd", "snap", "rename", "vm@s"}), "");
}

TEST(SnapshotCommands, ProtectionIsAnEdit) {
    EXPECT_EQ(submission({"rbd", "snap", "protect", "vm@s"}).body, json({{"is_protected", true}}));
    EXPECT_EQ(submission({"rbd", "snap", "unprotect", "vm@s"}).body, json({{"is_protected", false}}));
}

TEST(SnapshotCommands, PurgeSaysWhatBecomesOfProtectedOnes) {
    EXPECT_EQ(submission({"rbd", "snap", "purge", "vm"}).body, json({{"protected", "refuse"}}));
    EXPECT_EQ(submission({"rbd", "snap", "purge", "vm", "--keep-protected"}).body, json({{"protected", "keep"}}));
    EXPECT_EQ(submission({"rbd", "snap", "purge", "vm", "--force"}).body, json({{"protected", "remove"}}));
    EXPECT_EQ(submission({"rbd", "snap", "purge", "vm"}).target, "/api/block/image/rbd%2Fvm/snap/purge");
    EXPECT_NE(refusal({"rbd", "snap", "purge", "vm", "--force", "--keep-protected"}), "");
}

TEST(SnapshotCommands, CloneNamesItsChildAndHowItIsMade) {
    const auto sent =
        submission({"rbd", "clone", "rbd/vm@s", "ssd/n/child", "--object-size", "1M", "--image-feature", "layering"});

    EXPECT_EQ(sent.method, "POST");
    EXPECT_EQ(sent.target, "/api/block/image/rbd%2Fvm/snap/s/clone");
    EXPECT_EQ(sent.body, json({{"child_pool_name", "ssd"},
                               {"child_namespace", "n"},
                               {"child_image_name", "child"},
                               {"obj_size", 1 << 20},
                               {"features", {"layering"}}}));
    EXPECT_NE(refusal({"rbd", "clone", "rbd/vm@s"}), "");
}

TEST(TrashCommands, MoveAndRestore) {
    const auto moved = submission({"rbd", "trash", "mv", "vm", "--delay", "60"});
    EXPECT_EQ(moved.target, "/api/block/image/rbd%2Fvm/move_trash");
    EXPECT_EQ(moved.body, json({{"delay", 60}}));
    EXPECT_EQ(submission({"rbd", "trash", "move", "vm", "--force"}).body, json({{"delay", 0}, {"force", true}}));

    const auto restored = submission({"rbd", "trash", "restore", "p/10ab", "--image", "vm"});
    EXPECT_EQ(restored.target, "/api/block/image/trash/p%2F10ab/restore");
    EXPECT_EQ(restored.body, json({{"new_image_name", "vm"}}));
    EXPECT_EQ(submission({"rbd", "trash", "restore", "--image-id", "10ab"}).body, json({{"new_image_name", ""}}));
}

TEST(TrashCommands, RemoveSaysWhatItMay) {
    EXPECT_EQ(submission({"rbd", "trash", "rm", "10ab"}).target, "/api/block/image/trash/rbd%2F10ab");
    EXPECT_EQ(submission({"rbd", "trash", "rm", "10ab", "--force"}).target,
              "/api/block/image/trash/rbd%2F10ab?force=true");
    EXPECT_EQ(submission({"rbd", "trash", "rm", "10ab", "--force", "--purge-snapshots"}).target,
              "/api/block/image/trash/rbd%2F10ab?force=true&snapshots=remove");
}

TEST(TrashCommands, PurgeIsOfOnePoolOrOfAll) {
    EXPECT_EQ(submission({"rbd", "trash", "purge"}).body, json({{"pool_name", "rbd"}}));
    EXPECT_EQ(submission({"rbd", "trash", "purge", "ssd"}).body, json({{"pool_name", "ssd"}}));
    EXPECT_EQ(submission({"rbd", "trash", "purge", "-p", "ssd"}).body, json({{"pool_name", "ssd"}}));
    EXPECT_EQ(submission({"rbd", "trash", "purge", "--all-pools"}).body, json::object());
    EXPECT_NE(refusal({"rbd", "trash", "purge", "ssd", "--all-pools"}), "");
}

TEST(NamespaceCommands, NamePoolAndNamespace) {
    const auto made = submission({"rbd", "namespace", "create", "p/n"});
    EXPECT_EQ(made.target, "/api/block/pool/p/namespace");
    EXPECT_EQ(made.body, json({{"namespace", "n"}}));
    EXPECT_EQ(submission({"rbd", "namespace", "create", "--pool", "p", "--namespace", "n"}).target, made.target);
    EXPECT_EQ(submission({"rbd", "namespace", "rm", "n"}).target, "/api/block/pool/rbd/namespace/n");
    EXPECT_NE(refusal({"rbd", "namespace", "create", "a/b/c"}), "");
}

}  // namespace
}  // namespace taskd::cli
