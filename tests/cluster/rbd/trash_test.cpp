#include "cluster/rbd/snapshot_fixture.hpp"

#include <algorithm>

#include <rbd/features.h>

namespace taskd::test {
namespace {

using nlohmann::json;
using ::testing::IsEmpty;

class Trash : public SnapshotTest {
  protected:
    /// Makes an image and moves it there; returns its id.
    std::string make_entry(const std::string& name, std::uint64_t delay_s = 0) {
        auto id = other_.make(name);
        EXPECT_EQ(rbd_trash_move(other_.pool(), name.c_str(), delay_s), 0);
        return id;
    }
};

TEST_F(Trash, TakesAnImage) {
    const auto id = other_.make("t-move");
    other_.snapshot("t-move", "s");

    EXPECT_EQ(do_it(rbd::trash_move_operation, image("t-move")), nullptr);

    EXPECT_FALSE(other_.exists("t-move"));
    EXPECT_TRUE(is_in_trash(id));
}

TEST_F(Trash, KeepsAnImageForTheDelay) {
    const auto id = other_.make("t-delay");
    do_it(rbd::trash_move_operation, image("t-delay", {{"delay", 3599.42}}));

    rbd_trash_image_info_t info{};
    ASSERT_EQ(rbd_trash_get(other_.pool(), id.c_str(), &info), 0);
    EXPECT_EQ(info.deferment_end_time - info.deletion_time, 3599);
    rbd_trash_get_cleanup(&info);
}

TEST_F(Trash, FailsInTheDashboardsWords) {
    const auto kept = make_entry("t-kept", 3600);
    other_.make("t-there");

    EXPECT_STREQ(failure(rbd::trash_move_operation, image("t-none")).what(),
                 "[errno 2] RBD image not found (error moving image to trash)");
    EXPECT_THAT(failure(rbd::trash_remove_operation, entry(kept)),
                IsError(EPERM, "[errno 1] RBD permission error (error deleting image from trash): it is kept until 2"));
    EXPECT_STREQ(failure(rbd::trash_remove_operation, entry("106313ab87bf")).what(),
                 "[errno 2] RBD image not found (error deleting image from trash)");
    EXPECT_THAT(failure(rbd::trash_restore_operation, entry("106313ab87bf", {{"new_image_name", "x"}})),
                IsError(ENOENT, "[errno 2] RBD image not found (error restoring image from trash)"));
    EXPECT_THAT(failure(rbd::trash_restore_operation, entry(kept, {{"new_image_name", "t-there"}})),
                IsError(EEXIST, "[errno 17] RBD image already exists (error restoring image from trash)"));
    EXPECT_TRUE(is_in_trash(kept));
}

TEST_F(Trash, DoesNotTakeAnImageFromUnderAClient) {
    const auto id = other_.make("t-used");
    const auto held = other_.open("t-used");

    const auto error = failure(rbd::trash_move_operation, image("t-used"));

    EXPECT_THAT(error,
                IsError(EBUSY, "[errno 16] RBD image is busy (error moving image to trash): in use by 127.0.0."));
    EXPECT_EQ(error.extra().at("blockers").at("watchers").at(0).at("client"), theirs().instance_id());
    EXPECT_TRUE(other_.exists("t-used"));

    do_it(rbd::trash_move_operation, image("t-used", {{"force", true}}));
    EXPECT_TRUE(is_in_trash(id));
}

TEST_F(Trash, TakesTheImageOfTheIdWhateverItsNameLooksLike) {
    const std::string name = "t-bad\xFF\xFEname";
    const auto id = other_.make(name);

    do_it(rbd::trash_move_operation, image("t-bad\uFFFD\uFFFDname", {{"image_id", id}}));

    EXPECT_TRUE(is_in_trash(id));
}

TEST_F(Trash, GivesAnImageBack) {
    const auto first = make_entry("t-back");
    const auto second = make_entry("t-back");

    do_it(rbd::trash_restore_operation, entry(first, {{"new_image_name", ""}}));
    do_it(rbd::trash_restore_operation, entry(second, {{"new_image_name", "t-back-2"}}));

    EXPECT_EQ(other_.id_of("t-back"), first);
    EXPECT_EQ(other_.id_of("t-back-2"), second);
}

TEST_F(Trash, GivesBackWhatWasCutOffWhileItMoved) {
    const auto id = make_entry("t-moving");
    other_.set_trash_state(id, rbd::TrashState::moving);

    do_it(rbd::trash_restore_operation, entry(id, {{"new_image_name", "t-moved-back"}}));

    EXPECT_EQ(other_.id_of("t-moved-back"), id);
}

TEST_F(Trash, RemovesWhatWasCutOffWhileItWasGivenBack) {
    const auto id = make_entry("t-restoring");
    other_.set_trash_state(id, rbd::TrashState::restoring);

    do_it(rbd::trash_remove_operation, entry(id));

    EXPECT_FALSE(is_in_trash(id));
    EXPECT_THAT(other_.objects_with(id), IsEmpty());
}

TEST_F(Trash, RemovesNothingElseThatHasTheNameOfWhatWasCutOffWhileItWasGivenBack) {
    const auto id = make_entry("t-taken");
    other_.set_trash_state(id, rbd::TrashState::restoring);
    const auto other = other_.make("t-taken");

    EXPECT_THAT(failure(rbd::trash_remove_operation, entry(id)), IsError(EBUSY, "another image has its name now"));

    EXPECT_EQ(other_.id_of("t-taken"), other);
    EXPECT_TRUE(is_in_trash(id));
}

TEST_F(Trash, DoesNotGiveBackAHalfRemovedImage) {
    const auto id = other_.make("t-half", 1ULL << 34, RBD_FEATURE_LAYERING);
    other_.remove_half("t-half");

    EXPECT_THAT(failure(rbd::trash_restore_operation, entry(id, {{"new_image_name", ""}})),
                IsError(EINVAL, "its removal has begun"));
}

TEST_F(Trash, LosesAnImageWithProgress) {
    const auto id = other_.make("t-lose", 1ULL << 28, RBD_FEATURE_LAYERING);
    other_.move_to_trash("t-lose");
    FakeOperationContext context(&ours());

    EXPECT_EQ(run(rbd::trash_remove_operation, entry(id), context), nullptr);

    EXPECT_THAT(other_.objects_with(id), IsEmpty());
    EXPECT_FALSE(is_in_trash(id));
    expect_rising(context, 10);
}

TEST_F(Trash, LosesBeforeItsTimeWhatIsForced) {
    const auto id = make_entry("t-forced", 3600);

    do_it(rbd::trash_remove_operation, entry(id, {{"force", "True"}}));

    EXPECT_FALSE(is_in_trash(id));
}

TEST_F(Trash, KeepsAnImageWithSnapshotsUnlessTheyAreToGoToo) {
    const auto id = other_.make("t-snaps");
    other_.snapshot("t-snaps", "a", true);
    other_.move_to_trash("t-snaps");

    EXPECT_THAT(failure(rbd::trash_remove_operation, entry(id)),
                IsError(ENOTEMPTY,
                        "[errno 39] RBD image has snapshots (error deleting image from trash): it has snapshots: a"));
    EXPECT_TRUE(is_in_trash(id));

    do_it(rbd::trash_remove_operation, entry(id, {{"snapshots", "remove"}}));
    EXPECT_FALSE(is_in_trash(id));
    EXPECT_THAT(other_.objects_with(id), IsEmpty());
}

TEST_F(Trash, KeepsAParentWhoseCloneLives) {
    const auto id = other_.make("t-parent");
    other_.snapshot("t-parent", "s", true);
    other_.clone("t-parent", "s", "t-child");
    other_.move_to_trash("t-parent");

    const auto error = failure(rbd::trash_remove_operation, entry(id, {{"snapshots", "remove"}}));

    EXPECT_THAT(error, IsError(EBUSY, "it has clones: rbd/t-child (of snapshot 's')"));
    EXPECT_TRUE(has_parent("t-child"));
}

TEST_F(Trash, LosesAHalfRemovedImageToTheEnd) {
    const auto id = other_.make("t-rest", 1ULL << 34, RBD_FEATURE_LAYERING);
    other_.remove_half("t-rest");
    const auto same_name = other_.make("t-rest");

    do_it(rbd::trash_remove_operation, entry(id));

    EXPECT_THAT(other_.objects_with(id), IsEmpty());
    EXPECT_EQ(other_.id_of("t-rest"), same_name);
}

TEST_F(Trash, SaysWhatIsLeftOfARemovalThatWasStopped) {
    const auto id = other_.make("t-stop", 1ULL << 36, RBD_FEATURE_LAYERING);
    other_.move_to_trash("t-stop");
    FakeOperationContext context(&ours());
    context.stop_after_reports = 3;

    const auto error = error_of([&] { run(rbd::trash_remove_operation, entry(id), context); });

    EXPECT_EQ(error.kind(), ErrorKind::cancelled);
    EXPECT_THAT(error, IsError(ECANCELED, "half removed; remove it again to finish"));
    do_it(rbd::trash_remove_operation, entry(id));
    EXPECT_THAT(other_.objects_with(id), IsEmpty());
}

TEST_F(Trash, IsPurgedOfWhatHasExpired) {
    test_cluster().run("ceph osd pool create t-purge 8 && rbd pool init t-purge && rbd namespace create t-purge/ns");
    OtherClient there(theirs(), "t-purge");
    OtherClient in_namespace(theirs(), "t-purge", "ns");
    std::vector<std::string> ids;
    for (auto* client : {&there, &in_namespace}) {
        ids.push_back(client->make("gone"));
        client->move_to_trash("gone");
    }
    const auto kept = there.make("kept");
    ASSERT_EQ(rbd_trash_move(there.pool(), "kept", 3600), 0);

    EXPECT_EQ(do_it(rbd::trash_purge_operation, {{"pool_name", "t-purge"}}), nullptr);

    for (const auto& id : ids) EXPECT_THAT(there.objects_with(id), IsEmpty()) << id;
    EXPECT_FALSE(there.objects_with(kept).empty());
    EXPECT_EQ(do_it(rbd::trash_purge_operation, {{"pool_name", "t-purge"}}), nullptr) << "and again at once";
}

TEST_F(Trash, IsPurgedOfTheOthersWhenOneCannotGo) {
    test_cluster().run("ceph osd pool create t-some 8 && rbd pool init t-some");
    OtherClient there(theirs(), "t-some");
    std::vector<std::string> ids;
    for (const auto* name : {"a", "b", "c"}) {
        ids.push_back(there.make(name));
        if (ids.size() == 2) there.snapshot(name, "s");
        there.move_to_trash(name);
    }
    const auto headless = there.make("d", 1 << 22, RBD_FEATURE_LAYERING);
    there.move_to_trash("d");
    rados_remove(there.pool(), ("rbd_header." + headless).c_str());

    const auto error = failure(rbd::trash_purge_operation, {{"pool_name", "t-some"}});

    EXPECT_THAT(error, IsError(ENOTEMPTY, "[errno 39] RBD image has snapshots (error deleting image from trash)"));
    EXPECT_THAT(error, IsError(ENOTEMPTY, "were removed"));
    EXPECT_EQ(error.extra().at("failed").at(0).at("what"), "t-some/" + ids[1]);
    EXPECT_THAT(there.objects_with(ids[0]), IsEmpty());
    EXPECT_THAT(there.objects_with(ids[2]), IsEmpty());
}

TEST_F(Trash, InterruptedAtAnyStepTakesTheImage) {
    std::string id;
    interrupt_at_each_step(
        rbd::trash_move_operation,
        [&](std::size_t step) {
            const auto name = "t-int-move-" + std::to_string(step);
            id = other_.make(name);
            return image(name, {{"image_id", id}});
        },
        [&](std::size_t) { EXPECT_TRUE(is_in_trash(id)); });
    EXPECT_NO_THROW(do_it(rbd::trash_move_operation, image("t-int-move-1", {{"image_id", id}}), 2));
}

TEST_F(Trash, InterruptedAtAnyStepGivesTheImageBack) {
    const auto name = [](std::size_t step) { return "t-int-back-" + std::to_string(step); };
    interrupt_at_each_step(
        rbd::trash_restore_operation,
        [&](std::size_t step) {
            return entry(make_entry(name(step)), {{"new_image_name", name(step)}});
        },
        [&](std::size_t step) { EXPECT_TRUE(other_.exists(name(step))); });
    EXPECT_NO_THROW(
        do_it(rbd::trash_restore_operation, entry(other_.id_of(name(1)), {{"new_image_name", name(1)}}), 2));
}

TEST_F(Trash, InterruptedAtAnyStepLosesTheImage) {
    std::string id;
    interrupt_at_each_step(
        rbd::trash_remove_operation,
        [&](std::size_t step) {
            id = make_entry("t-int-lose-" + std::to_string(step));
            return entry(id);
        },
        [&](std::size_t) { EXPECT_FALSE(is_in_trash(id)); });
    EXPECT_NO_THROW(do_it(rbd::trash_remove_operation, entry(id), 2)) << "it was gone before";
}

class Namespaces : public SnapshotTest {
  protected:
    static json ns(const std::string& name, const std::string& pool = "rbd") {
        return {{"pool_name", pool}, {"namespace", name}};
    }
};

TEST_F(Namespaces, AreMadeAndRemoved) {
    EXPECT_EQ(do_it(rbd::namespace_create_operation, ns("n-1")), nullptr);
    const auto again = failure(rbd::namespace_create_operation, ns("n-1"));
    EXPECT_STREQ(again.what(), "Namespace already exists");
    EXPECT_EQ(again.extra(), (json{{"code", "namespace_already_exists"}}));
    EXPECT_NO_THROW(do_it(rbd::namespace_create_operation, ns("n-1"), 2));

    EXPECT_EQ(do_it(rbd::namespace_delete_operation, ns("n-1")), nullptr);
    EXPECT_THAT(failure(rbd::namespace_delete_operation, ns("n-1")), IsError(ENOENT, "namespace 'n-1' does not exist"));
    EXPECT_NO_THROW(do_it(rbd::namespace_delete_operation, ns("n-1"), 2));
}

TEST_F(Namespaces, WithImagesStay) {
    do_it(rbd::namespace_create_operation, ns("n-2"));
    OtherClient there(theirs(), "rbd", "n-2");
    const auto id = there.make("img");
    const json code = {{"code", "namespace_contains_images"}};

    auto error = failure(rbd::namespace_delete_operation, ns("n-2"));
    EXPECT_STREQ(error.what(), "Namespace contains images which must be deleted first");
    EXPECT_EQ(error.extra(), code);

    there.move_to_trash("img");
    error = failure(rbd::namespace_delete_operation, ns("n-2"));
    EXPECT_STREQ(error.what(), "Namespace contains images in the trash which must be removed first");
    EXPECT_EQ(error.extra(), code);

    there.remove_from_trash(id);
    EXPECT_NO_THROW(do_it(rbd::namespace_delete_operation, ns("n-2")));
}

TEST_F(Namespaces, OfAPoolThatIsNotThereNameNoComponent) {
    const auto error = failure(rbd::namespace_create_operation, ns("n", "nopool"));
    EXPECT_STREQ(error.what(), "[errno 2] RADOS object not found (error opening pool 'nopool')");
    EXPECT_EQ(error.component(), "");
}

}  // namespace
}  // namespace taskd::test
