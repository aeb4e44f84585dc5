#include "cluster/rbd/snapshot_fixture.hpp"

#include <rbd/features.h>

namespace taskd::test {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Snapshots : public SnapshotTest {};

const json plain = {{"mirrorImageSnapshot", false}};

TEST_F(Snapshots, AreMade) {
    other_.make("s-made");

    EXPECT_EQ(do_it(rbd::snapshot_create_operation, at("s-made", "s1", plain)), nullptr);

    EXPECT_THAT(other_.snapshots("s-made"), ElementsAre("s1"));
    EXPECT_EQ(other_.watchers("s-made"), 0U);
}

TEST_F(Snapshots, FailInTheDashboardsWords) {
    other_.make("s-words");
    other_.snapshot("s-words", "s1");
    const auto missing = "[errno 2] RBD image not found (error opening image b's-none' at snapshot None)";

    EXPECT_STREQ(failure(rbd::snapshot_create_operation, at("s-words", "s1", plain)).what(),
                 "[errno 17] RBD image already exists (error creating snapshot b's1' from b's-words')");
    EXPECT_STREQ(failure(rbd::snapshot_create_operation, at("s-none", "s1", plain)).what(), missing);
    EXPECT_STREQ(failure(rbd::snapshot_rollback_operation, at("s-none", "s1")).what(), missing);
    EXPECT_STREQ(failure(rbd::snapshot_edit_operation, at("s-words", "no", {{"new_snap_name", "x"}})).what(),
                 "[errno 2] RBD image not found (error renaming snapshot of b's-words' from b'no' to b'x')");
    EXPECT_STREQ(failure(rbd::snapshot_delete_operation, at("s-words", "no")).what(),
                 "[errno 2] RBD image not found (error removing snapshot b'no' from b's-words')");
    EXPECT_STREQ(failure(rbd::snapshot_rollback_operation, at("s-words", "no")).what(),
                 "[errno 2] RBD image not found (error rolling back image b's-words' to snapshot b'no')");
    const auto no_pool = failure(rbd::snapshot_create_operation,
                                 {{"image_spec", "nopool/x"}, {"snapshot_name", "s"}, {"mirrorImageSnapshot", false}});
    EXPECT_STREQ(no_pool.what(), "[errno 2] RADOS object not found (error opening pool 'nopool')");
    EXPECT_EQ(no_pool.component(), "pool");
}

TEST_F(Snapshots, OfMirroringAreMadeWhereTheImageIsMirroredByThem) {
    test_cluster().run("ceph osd pool create s-mir 8 && rbd pool init s-mir && rbd mirror pool enable s-mir image");
    test_cluster().run("rbd create s-mir/img --size 4 && rbd mirror image enable s-mir/img snapshot");
    test_cluster().run("rbd mirror pool peer add s-mir client.x@elsewhere");
    const OtherClient there(theirs(), "s-mir");
    const auto before = there.snapshots("img");

    const json given = {{"image_spec", "s-mir/img"}, {"snapshot_name", "unused"}, {"mirrorImageSnapshot", true}};
    do_it(rbd::snapshot_create_operation, given);

    const auto after = there.snapshots("img");
    // The one that nobody was to read any more goes with it.
    EXPECT_NE(after, before);
    for (const auto& name : after) EXPECT_EQ(name.rfind(".mirror.", 0), 0U) << name;
}

TEST_F(Snapshots, AreRenamedAndProtectedAtOnce) {
    other_.make("s-edit");
    other_.snapshot("s-edit", "old");

    do_it(rbd::snapshot_edit_operation, at("s-edit", "old", {{"new_snap_name", "new"}, {"is_protected", true}}));
    EXPECT_THAT(other_.snapshots("s-edit"), ElementsAre("new"));
    EXPECT_TRUE(is_protected("s-edit", "new"));

    do_it(rbd::snapshot_edit_operation, at("s-edit", "new", {{"new_snap_name", "old"}, {"is_protected", false}}));
    EXPECT_THAT(other_.snapshots("s-edit"), ElementsAre("old"));
    EXPECT_FALSE(is_protected("s-edit", "old"));
}

TEST_F(Snapshots, ThatAreAsAskedForStayAsTheyAre) {
    other_.make("s-same");
    other_.snapshot("s-same", "s", true);

    for (const json& edit : {json::object(), json{{"is_protected", true}}, json{{"new_snap_name", "s"}}})
        EXPECT_EQ(do_it(rbd::snapshot_edit_operation, at("s-same", "s", edit)), nullptr);
}

TEST_F(Snapshots, KeepNameAndProtectionWhenOneCannotBeChanged) {
    other_.make("s-whole");
    other_.snapshot("s-whole", "a", true);
    other_.snapshot("s-whole", "b");
    other_.clone("s-whole", "a", "s-whole-child");

    const auto busy =
        failure(rbd::snapshot_edit_operation, at("s-whole", "a", {{"new_snap_name", "c"}, {"is_protected", false}}));
    EXPECT_THAT(busy, IsError(EBUSY,
                              "[errno 16] RBD image is busy (error unprotecting snapshot b's-whole'@b'a'): it "
                              "has clones: rbd/s-whole-child (of snapshot 'a')"));
    EXPECT_EQ(busy.extra().at("blockers").at("children").at(0).at("image_spec"), "rbd/s-whole-child");
    EXPECT_THAT(
        failure(rbd::snapshot_edit_operation, at("s-whole", "b", {{"new_snap_name", "a"}, {"is_protected", true}})),
        IsError(EEXIST, "error renaming snapshot of b's-whole' from b'b' to b'a'"));

    EXPECT_THAT(other_.snapshots("s-whole"), ElementsAre("a", "b"));
    EXPECT_TRUE(is_protected("s-whole", "a"));
    EXPECT_FALSE(is_protected("s-whole", "b"));
}

TEST_F(Snapshots, AreRemovedUnlessProtected) {
    other_.make("s-gone");
    other_.snapshot("s-gone", "a");
    other_.snapshot("s-gone", "b", true);

    do_it(rbd::snapshot_delete_operation, at("s-gone", "a"));
    EXPECT_THAT(failure(rbd::snapshot_delete_operation, at("s-gone", "b")),
                IsError(EBUSY, "[errno 16] RBD image is busy (error removing snapshot b'b' from b's-gone')"));
    EXPECT_THAT(other_.snapshots("s-gone"), ElementsAre("b"));

    do_it(rbd::snapshot_delete_operation, at("s-gone", "b", {{"force", true}}));
    EXPECT_THAT(other_.snapshots("s-gone"), IsEmpty());
}

TEST_F(Snapshots, RemovedByForceHaveTheirClonesFlattened) {
    other_.make("s-force");
    write("s-force", 'x');
    other_.snapshot("s-force", "s", true);
    for (const auto* child : {"s-child-1", "s-child-2"}) other_.clone("s-force", "s", child);
    const auto id = other_.id_of("s-child-2");
    other_.move_to_trash("s-child-2");

    do_it(rbd::snapshot_delete_operation, at("s-force", "s", {{"force", true}}));

    EXPECT_THAT(other_.snapshots("s-force"), IsEmpty());
    EXPECT_FALSE(has_parent("s-child-1"));
    EXPECT_EQ(first_byte("s-child-1"), 'x');
    EXPECT_TRUE(is_in_trash(id));
}

TEST_F(Snapshots, AreNotTouchedWhenAClonesOwnSnapshotsHoldTheParent) {
    other_.make("s-deep");
    other_.snapshot("s-deep", "s", true);
    test_cluster().run("rbd clone rbd/s-deep@s rbd/s-shallow --image-feature layering");
    other_.snapshot("s-shallow", "own");

    EXPECT_THAT(failure(rbd::snapshot_delete_operation, at("s-deep", "s", {{"force", true}})),
                IsError(EBUSY, "cannot be flattened: rbd/s-shallow (of snapshot 's', has snapshots"));
    EXPECT_TRUE(has_parent("s-shallow"));
}

TEST_F(Snapshots, ArePurged) {
    other_.make("s-purge");
    for (const auto* name : {"a", "b", "c"}) other_.snapshot("s-purge", name);

    const json expected = {{"removed", 3}, {"kept", 0}};
    EXPECT_EQ(do_it(rbd::snapshot_purge_operation, image("s-purge")), expected);
    EXPECT_THAT(other_.snapshots("s-purge"), IsEmpty());
    EXPECT_EQ(do_it(rbd::snapshot_purge_operation, image("s-purge")), (json{{"removed", 0}, {"kept", 0}}));
}

TEST_F(Snapshots, ArePurgedOnlyWhenAllCanGo) {
    other_.make("s-purge2");
    other_.snapshot("s-purge2", "a");
    other_.snapshot("s-purge2", "b", true);

    EXPECT_THAT(failure(rbd::snapshot_purge_operation, image("s-purge2")), IsError(EBUSY, "snapshot 'b' is protected"));
    EXPECT_THAT(other_.snapshots("s-purge2"), ElementsAre("a", "b"));

    EXPECT_EQ(do_it(rbd::snapshot_purge_operation, image("s-purge2", {{"protected", "keep"}})),
              (json{{"removed", 1}, {"kept", 1}}));
    EXPECT_THAT(other_.snapshots("s-purge2"), ElementsAre("b"));

    other_.clone("s-purge2", "b", "s-purge2-child");
    EXPECT_THAT(failure(rbd::snapshot_purge_operation, image("s-purge2", {{"protected", "remove"}})),
                IsError(EBUSY, "it has clones: rbd/s-purge2-child"));
    other_.remove("s-purge2-child");
    do_it(rbd::snapshot_purge_operation, image("s-purge2", {{"protected", "remove"}}));
    EXPECT_THAT(other_.snapshots("s-purge2"), IsEmpty());
}

TEST_F(Snapshots, GiveTheirDataBack) {
    other_.make("s-back");
    write("s-back", 'a');
    other_.snapshot("s-back", "s");
    write("s-back", 'b');

    do_it(rbd::snapshot_rollback_operation, at("s-back", "s"));

    EXPECT_EQ(first_byte("s-back"), 'a');
    EXPECT_EQ(other_.watchers("s-back"), 0U);
}

TEST_F(Snapshots, AreRolledBackToWithRealProgress) {
    other_.make("s-progress", 1ULL << 28, RBD_FEATURE_LAYERING);
    other_.snapshot("s-progress", "s");
    for (std::uint64_t object = 0; object < 64; ++object) write("s-progress", 'b', object << 22);
    FakeOperationContext context(&ours());

    run(rbd::snapshot_rollback_operation, at("s-progress", "s"), context);

    expect_rising(context, 10);
}

TEST_F(Snapshots, AreNotRolledBackToUnderAClientThatHasTheImageOpen) {
    other_.make("s-used");
    write("s-used", 'a');
    other_.snapshot("s-used", "s");
    write("s-used", 'b');
    const auto held = other_.open("s-used");
    ASSERT_EQ(rbd_lock_acquire(held.get(), RBD_LOCK_MODE_EXCLUSIVE), 0);

    const auto error = failure(rbd::snapshot_rollback_operation, at("s-used", "s"));

    EXPECT_THAT(error, IsError(EBUSY,
                               "[errno 16] RBD image is busy (error rolling back image b's-used' to snapshot "
                               "b's'): in use by 127.0.0.1:0/"));
    EXPECT_THAT(error, IsError(EBUSY, "holds the exclusive lock"));
    const auto watcher = error.extra().at("blockers").at("watchers").at(0);
    EXPECT_EQ(watcher.at("client"), theirs().instance_id());
    EXPECT_EQ(watcher.at("lock_owner"), true);
    EXPECT_EQ(first_byte("s-used"), 'b');
}

TEST_F(Snapshots, AreRolledBackToByForceWhileItIsOpen) {
    other_.make("s-forced");
    write("s-forced", 'a');
    other_.snapshot("s-forced", "s");
    write("s-forced", 'b');
    const auto held = other_.open("s-forced");

    do_it(rbd::snapshot_rollback_operation, at("s-forced", "s", {{"force", true}}));

    EXPECT_EQ(first_byte("s-forced"), 'a');
}

TEST_F(Snapshots, OfAnImageThatGotTheNameLaterAreNotTouched) {
    const auto id = other_.make("s-name");
    other_.rename("s-name", "s-name-before");
    other_.make("s-name");
    other_.snapshot("s-name", "s");
    const json bound = {{"image_id", id}};

    for (const auto* operation :
         {&rbd::snapshot_delete_operation, &rbd::snapshot_rollback_operation, &rbd::snapshot_edit_operation})
        EXPECT_THAT(failure(*operation, at("s-name", "s", bound)), IsError(ENOENT, "is now named 's-name-before'"));
    EXPECT_THAT(failure(rbd::trash_move_operation, image("s-name", bound)), IsError(ENOENT, "is now named"));
    EXPECT_THAT(failure(rbd::snapshot_purge_operation, image("s-name", bound)), IsError(ENOENT, "is now named"));

    EXPECT_THAT(other_.snapshots("s-name"), ElementsAre("s"));
}

TEST_F(Snapshots, OfAHalfRemovedImageSayWhatToDo) {
    other_.make("s-half", 1ULL << 32, RBD_FEATURE_LAYERING);
    other_.remove_half("s-half");

    EXPECT_THAT(failure(rbd::snapshot_create_operation, at("s-half", "s", plain)),
                IsError(ENOENT, "it is half removed: delete it again to finish"));
}

TEST_F(Snapshots, StoppedBeforeTheyAreTouchedAreWhole) {
    other_.make("s-stop");
    other_.snapshot("s-stop", "s");
    for (const auto* operation :
         {&rbd::snapshot_delete_operation, &rbd::snapshot_rollback_operation, &rbd::snapshot_purge_operation}) {
        FakeOperationContext context(&ours());
        context.stop();
        const auto given = operation == &rbd::snapshot_purge_operation ? image("s-stop") : at("s-stop", "s");
        EXPECT_EQ(error_of([&] { run(*operation, given, context); }).kind(), ErrorKind::cancelled) << operation->name;
    }
    EXPECT_THAT(other_.snapshots("s-stop"), ElementsAre("s"));
}

TEST_F(Snapshots, InterruptedAtAnyStepAreMadeByTheNextAttempt) {
    const auto name = [](std::size_t step) { return "s-int-make-" + std::to_string(step); };
    interrupt_at_each_step(
        rbd::snapshot_create_operation,
        [&](std::size_t step) {
            other_.make(name(step));
            return at(name(step), "s", plain);
        },
        [&](std::size_t step) { EXPECT_THAT(other_.snapshots(name(step)), ElementsAre("s")); });
    EXPECT_NO_THROW(do_it(rbd::snapshot_create_operation, at(name(1), "s", plain), 2));
}

TEST_F(Snapshots, InterruptedAtAnyStepAreEditedByTheNextAttempt) {
    const auto name = [](std::size_t step) { return "s-int-edit-" + std::to_string(step); };
    const json edit = {{"new_snap_name", "new"}, {"is_protected", true}};
    interrupt_at_each_step(
        rbd::snapshot_edit_operation,
        [&](std::size_t step) {
            other_.make(name(step));
            other_.snapshot(name(step), "old");
            return at(name(step), "old", edit);
        },
        [&](std::size_t step) {
            EXPECT_THAT(other_.snapshots(name(step)), ElementsAre("new"));
            EXPECT_TRUE(is_protected(name(step), "new"));
        });
    EXPECT_NO_THROW(do_it(rbd::snapshot_edit_operation, at(name(1), "old", edit), 2)) << "it was done before it died";
}

TEST_F(Snapshots, InterruptedAtAnyStepAreRemovedByTheNextAttempt) {
    const auto name = [](std::size_t step) { return "s-int-del-" + std::to_string(step); };
    interrupt_at_each_step(
        rbd::snapshot_delete_operation,
        [&](std::size_t step) {
            other_.make(name(step));
            other_.snapshot(name(step), "s", true);
            other_.clone(name(step), "s", name(step) + "-child");
            return at(name(step), "s", {{"force", true}});
        },
        [&](std::size_t step) { EXPECT_THAT(other_.snapshots(name(step)), IsEmpty()); });
    EXPECT_NO_THROW(do_it(rbd::snapshot_delete_operation, at(name(1), "s"), 2));
}

TEST_F(Snapshots, InterruptedAtAnyStepAreRolledBackToByTheNextAttempt) {
    const auto name = [](std::size_t step) { return "s-int-back-" + std::to_string(step); };
    interrupt_at_each_step(
        rbd::snapshot_rollback_operation,
        [&](std::size_t step) {
            other_.make(name(step));
            write(name(step), 'a');
            other_.snapshot(name(step), "s");
            write(name(step), 'b');
            return at(name(step), "s");
        },
        [&](std::size_t step) { EXPECT_EQ(first_byte(name(step)), 'a'); });
}

TEST_F(Snapshots, InterruptedAtAnyStepArePurgedByTheNextAttempt) {
    const auto name = [](std::size_t step) { return "s-int-purge-" + std::to_string(step); };
    interrupt_at_each_step(
        rbd::snapshot_purge_operation,
        [&](std::size_t step) {
            other_.make(name(step));
            other_.snapshot(name(step), "a");
            other_.snapshot(name(step), "b");
            return image(name(step));
        },
        [&](std::size_t step) { EXPECT_THAT(other_.snapshots(name(step)), IsEmpty()); });
}

}  // namespace
}  // namespace taskd::test
