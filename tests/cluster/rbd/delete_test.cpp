#include "cluster/rbd/operation_test.hpp"

#include <cerrno>

#include <rbd/features.h>

namespace taskd::test {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr std::uint64_t tebibyte = 1ull << 40;

class Delete : public OperationTest {
  protected:
    /// It is gone and so is everything of it.
    void expect_gone(const std::string& name, const std::string& id) {
        EXPECT_FALSE(other_.exists(name));
        EXPECT_THAT(other_.listed(), Not(::testing::Contains(name)));
        EXPECT_THAT(other_.objects_with(id), IsEmpty());
    }

    static void expect_rising(const FakeOperationContext& context) {
        std::uint64_t last = 0;
        for (const auto& [done, total] : context.reports()) {
            EXPECT_GE(done, last);
            EXPECT_LE(done, total);
            last = done;
        }
    }

    /// The state that librbd's trash record of an image is in.
};

TEST_F(Delete, RemovesImagesOfAnySizeAndReportsRisingProgress) {
    for (const std::uint64_t size : {0ull, 1ull, (4ull << 20) - 1, 64ull << 20, 1ull << 38}) {
        const auto id = other_.make("d-size", size);
        FakeOperationContext context(&ours());

        EXPECT_EQ(run(rbd::delete_operation, delete_arguments("d-size"), context), nullptr) << size;

        expect_gone("d-size", id);
        expect_rising(context);
    }
}

TEST_F(Delete, SaysThatThereIsNoSuchImage) {
    for (const auto* name : {"d-none", "nons/d-none"})
        EXPECT_EQ(error_of([&] { remove(name); }).kind(), ErrorKind::not_found);
}

TEST_F(Delete, NamesTheMissingPool) {
    const auto error = error_of([] { remove("x", {{"image_spec", "nopool/x"}}); });

    EXPECT_STREQ(error.what(), "[errno 2] RADOS object not found (error opening pool 'nopool')");
    EXPECT_EQ(error.component(), "pool");
}

TEST_F(Delete, FindsAPoolThatWasMadeAgainUnderItsName) {
    for (int round = 0; round < 2; ++round) {
        test_cluster().run("ceph osd pool create d-again 8 && rbd pool init d-again && rbd create d-again/x --size 4");
        EXPECT_NO_THROW(remove("x", {{"image_spec", "d-again/x"}}));
        test_cluster().run("ceph osd pool delete d-again d-again --yes-i-really-really-mean-it");
    }
}

TEST_F(Delete, RemovesSnapshotsFirstProtectedOnesToo) {
    const auto id = other_.make("d-snaps");
    for (const auto* snapshot : {"a", "b", "c"}) other_.snapshot("d-snaps", snapshot, true);
    FakeOperationContext context(&ours());

    run(rbd::delete_operation, delete_arguments("d-snaps"), context);

    expect_gone("d-snaps", id);
    expect_rising(context);
    EXPECT_GE(context.reports().size(), 3u);
}

TEST_F(Delete, RemovesASnapshotThatOutlivedItsClone) {
    const auto id = other_.make("d-outlived");
    other_.snapshot("d-outlived", "s", true);
    other_.clone("d-outlived", "s", "d-outlived-child", 2);
    rbd_snap_unprotect(other_.open("d-outlived").get(), "s");
    EXPECT_EQ(rbd_snap_remove(other_.open("d-outlived").get(), "s"), 0);
    ASSERT_THAT(other_.snapshots("d-outlived"), ::testing::SizeIs(1)) << "in librbd's trash of snapshots";
    other_.remove("d-outlived-child");

    remove("d-outlived");

    expect_gone("d-outlived", id);
}

TEST_F(Delete, RemovesAMirroredImageAtItsPrimarySite) {
    test_cluster().run("ceph osd pool create d-mir 8 && rbd pool init d-mir && rbd mirror pool enable d-mir image");
    test_cluster().run("rbd create d-mir/primary --size 4 && rbd mirror image enable d-mir/primary snapshot");

    remove("", {{"image_spec", "d-mir/primary"}});

    EXPECT_FALSE(OtherClient(theirs(), "d-mir").exists("primary"));
}

TEST_F(Delete, OfAnImageInANamespaceLeavesItsNamesakeAlone) {
    rbd_namespace_create(other_.pool(), "d-ns");
    OtherClient there(theirs(), "rbd", "d-ns");
    there.make("d-same");
    other_.make("d-same");

    remove("d-ns/d-same");

    EXPECT_FALSE(there.exists("d-same"));
    EXPECT_TRUE(other_.exists("d-same"));
}

TEST_F(Delete, AddressesANameThatIsNotUtf8ByWhatIsShownAndTheId) {
    const auto id = other_.make("bad\xFF\xFEname");

    remove("bad\xEF\xBF\xBD\xEF\xBF\xBDname", {{"image_id", id}});

    expect_gone("bad\xFF\xFEname", id);
}

TEST_F(Delete, TakesTheRawNameToo) {
    const auto id = other_.make("raw\xFF\xFEname");

    remove("raw\xFF\xFEname");

    expect_gone("raw\xFF\xFEname", id);
}

TEST_F(Delete, AddressesANameThatNoSpecCanHoldByTheIdAlone) {
    const auto id = other_.make("d/slash");

    remove(id, {{"image_id", id}});

    expect_gone("d/slash", id);
}

TEST_F(Delete, NeverRemovesAnImageOfAnotherId) {
    const auto old_id = other_.make("d-id");
    other_.remove("d-id");
    const auto new_id = other_.make("d-id");

    EXPECT_EQ(error_of([&] { remove("d-id", {{"image_id", old_id}}); }).kind(), ErrorKind::not_found);

    EXPECT_EQ(other_.id_of("d-id"), new_id);
}

TEST_F(Delete, DoesNotFollowARename) {
    const auto id = other_.make("d-before");
    other_.rename("d-before", "d-after");

    const auto error = error_of([&] { remove("d-before", {{"image_id", id}}); });

    EXPECT_EQ(error.kind(), ErrorKind::not_found);
    EXPECT_THAT(error, IsError(ENOENT, "is now named 'd-after'"));
    EXPECT_TRUE(other_.exists("d-after"));
}

TEST_F(Delete, StopsAndSaysWhatIsLeft) {
    other_.make("d-cancel", tebibyte, RBD_FEATURE_LAYERING);
    FakeOperationContext context(&ours());
    context.stop_after_reports = 1000;

    const auto error = error_of([&] { run(rbd::delete_operation, delete_arguments("d-cancel"), context); });

    EXPECT_EQ(error.kind(), ErrorKind::cancelled);
    EXPECT_STREQ(error.what(),
                 "[errno 125] RBD operation canceled (error removing image): the image is half removed; "
                 "delete it again to finish");
    expect_rising(context);
    EXPECT_GE(context.reports().size(), 1000u);
    EXPECT_LT(context.reports().back().first, context.reports().back().second / 10);
}

TEST_F(Delete, FinishesWhatIsHalfRemoved) {
    const auto id = other_.make("d-half", 64ull << 30, RBD_FEATURE_LAYERING);
    other_.remove_half("d-half");
    FakeOperationContext context(&ours());

    run(rbd::delete_operation, delete_arguments("d-half"), context);

    expect_gone("d-half", id);
    expect_rising(context);
    EXPECT_GT(context.reports().size(), 100u);
}

TEST_F(Delete, FinishesARemovalThatEndedWhileMovingToTheTrash) {
    const auto id = other_.make("d-moving", 1ull << 30, RBD_FEATURE_LAYERING);
    other_.remove_half("d-moving");
    other_.set_trash_state(id, rbd::TrashState::moving);

    remove("d-moving");

    expect_gone("d-moving", id);
}

TEST_F(Delete, TellsAHalfRemovedImageFromANewOneOfItsName) {
    const auto old_id = other_.make("d-reused", 1ull << 30, RBD_FEATURE_LAYERING);
    other_.remove_half("d-reused");
    const auto new_id = other_.make("d-reused");

    remove("d-reused", {{"image_id", old_id}});
    EXPECT_EQ(other_.id_of("d-reused"), new_id);
    EXPECT_THAT(other_.objects_with(old_id), IsEmpty());

    remove("d-reused", {{"image_id", new_id}});
    expect_gone("d-reused", new_id);
}

TEST_F(Delete, SaysThatItCannotFinishWhileAnotherImageHasTheName) {
    const auto id = other_.make("d-stuck", 1ull << 30, RBD_FEATURE_LAYERING);
    other_.remove_half("d-stuck");
    other_.set_trash_state(id, rbd::TrashState::moving);
    const auto new_id = other_.make("d-stuck");

    EXPECT_EQ(error_of([&] { remove("d-stuck", {{"image_id", id}}); }).kind(), ErrorKind::conflict);

    EXPECT_EQ(other_.id_of("d-stuck"), new_id);
}

TEST_F(Delete, ClearsAnImageWithoutHeader) {
    const auto id = other_.make("d-headless", 1ull << 30, RBD_FEATURE_LAYERING);
    rados_remove(other_.pool(), ("rbd_header." + id).c_str());

    remove("d-headless");

    expect_gone("d-headless", id);
}

TEST_F(Delete, MovesToTheTrashWithItsSnapshotsWhereThePoolSaysSo) {
    make_pool_that_keeps_images("d-bin");
    OtherClient there(theirs(), "d-bin");
    const auto id = there.make("x");
    there.snapshot("x", "s");

    remove("", {{"image_spec", "d-bin/x"}});

    EXPECT_FALSE(there.exists("x"));
    ASSERT_EQ(rbd_trash_restore(there.pool(), id.c_str(), "x"), 0);
    EXPECT_THAT(there.snapshots("x"), ElementsAre("s"));
}

TEST_F(Delete, MovesAPlainImageToTheTrashWhereThePoolSaysSo) {
    make_pool_that_keeps_images("d-bin-2");
    OtherClient there(theirs(), "d-bin-2");
    const auto id = there.make("x");
    there.make("in-a-group");
    ASSERT_EQ(rbd_group_create(there.pool(), "g"), 0);
    ASSERT_EQ(rbd_group_image_add(there.pool(), "g", there.pool(), "in-a-group"), 0);

    remove("", {{"image_spec", "d-bin-2/x"}});

    EXPECT_FALSE(there.exists("x"));
    EXPECT_EQ(rbd_trash_restore(there.pool(), id.c_str(), "x"), 0);
    EXPECT_THAT(error_of([] {
                    remove("", {{"image_spec", "d-bin-2/in-a-group"}});
                }),
                IsError(EMLINK, "it belongs to the group d-bin-2/g"));
    EXPECT_TRUE(there.exists("in-a-group"));
}

TEST_F(Delete, LeavesEverythingWhenItIsStoppedBeforeItBegan) {
    other_.make("d-early");
    other_.snapshot("d-early", "s");
    FakeOperationContext context(&ours());
    context.stop();

    EXPECT_THAT(error_of([&] { run(rbd::delete_operation, delete_arguments("d-early"), context); }),
                IsError(ECANCELED, "nothing was removed"));

    EXPECT_THAT(other_.snapshots("d-early"), ElementsAre("s"));
}

TEST_F(Delete, StopsBetweenSnapshots) {
    other_.make("d-between");
    other_.snapshot("d-between", "a");
    other_.snapshot("d-between", "b");
    FakeOperationContext context(&ours());
    context.on_step = [&](std::string_view step) {
        if (step == "remove snapshot b") context.stop();
    };

    EXPECT_THAT(error_of([&] { run(rbd::delete_operation, delete_arguments("d-between"), context); }),
                IsError(ECANCELED, "1 of its 2 snapshots were removed; the image is whole"));

    EXPECT_THAT(other_.snapshots("d-between"), ElementsAre("b"));
    EXPECT_EQ(other_.watchers("d-between"), 0u);
}

}  // namespace
}  // namespace taskd::test
