#include "cluster/rbd/operation_test.hpp"
#include "rbd/lister/header_wire.hpp"

#include <array>
#include <cerrno>
#include <future>
#include <thread>

#include <rbd/features.h>

namespace taskd::test {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// A delete that cannot succeed destroys nothing.
class DeleteRefusal : public OperationTest {};

TEST_F(DeleteRefusal, OfAnImageInUseNamesItsClientAndKeepsTheSnapshots) {
    other_.make("r-used");
    other_.snapshot("r-used", "a");
    other_.snapshot("r-used", "b", true);
    const auto held = other_.open("r-used");

    const auto error = error_of([] { remove("r-used"); });

    EXPECT_EQ(error.kind(), ErrorKind::refused);
    EXPECT_THAT(error, IsError(EBUSY, "[errno 16] RBD image is busy (error removing image): in use by 127.0.0.1:0/"));
    const auto watcher = error.extra().at("blockers").at("watchers").at(0);
    EXPECT_EQ(watcher.at("client"), theirs().instance_id());
    EXPECT_THAT(watcher.at("address").get<std::string>(), HasSubstr("127.0.0.1:0/"));
    EXPECT_THAT(other_.snapshots("r-used"), ElementsAre("a", "b"));
}

/// Grows with each change, and so with each take and release of the image's lock.
std::uint64_t version_of_header(const OtherClient& client, const std::string& id) {
    std::array<char, 16> size{};
    const auto input = rbd::wire::snapshot_input(rbd::wire::no_snapshot);
    const auto header = "rbd_header." + id;
    EXPECT_GT(rados_exec(client.pool(), header.c_str(), "rbd", "get_size", input.data(), input.size(), size.data(),
                         size.size()),
              0);
    return rados_get_last_version(client.pool());
}

TEST_F(DeleteRefusal, OfAnImageThatIsWrittenToLeavesItsLockAlone) {
    const auto id = other_.make("r-written");
    const auto guest = other_.open("r-written");
    ASSERT_EQ(rbd_write(guest.get(), 0, 4, "data"), 4);
    const auto before = version_of_header(other_, id);

    EXPECT_THAT(error_of([] { remove("r-written"); }), IsError(EBUSY, "holds the exclusive lock"));

    EXPECT_EQ(version_of_header(other_, id), before);
    EXPECT_EQ(rbd_write(guest.get(), 4, 4, "more"), 4);
    EXPECT_EQ(version_of_header(other_, id), before);
}

TEST_F(DeleteRefusal, OfAnImageThatIsOpenAndNeverWrittenToNamesItsClient) {
    const auto id = other_.make("r-idle");
    const auto guest = other_.open("r-idle");
    const auto before = version_of_header(other_, id);

    const auto error = error_of([] { remove("r-idle"); });

    // Nobody had the lock meanwhile: the guest would have been told that its image is read-only.
    EXPECT_EQ(version_of_header(other_, id), before);

    EXPECT_THAT(error, IsError(EBUSY, "in use by 127.0.0.1:0/"));
    EXPECT_EQ(error.extra().at("blockers").at("watchers").at(0).at("client"), theirs().instance_id());
    EXPECT_EQ(rbd_write(guest.get(), 0, 4, "data"), 4);
}

TEST_F(DeleteRefusal, OfAParentNamesTheCloneAndKeepsTheSnapshots) {
    other_.make("r-parent");
    other_.snapshot("r-parent", "a");
    other_.snapshot("r-parent", "b", true);
    other_.clone("r-parent", "b", "r-child");

    const auto error = error_of([] { remove("r-parent"); });

    EXPECT_THAT(error, IsError(EBUSY,
                               "[errno 16] RBD image is busy (error unprotecting snapshot b'r-parent'@b'b'): it "
                               "has clones: rbd/r-child (of snapshot 'b')"));
    EXPECT_THAT(other_.snapshots("r-parent"), ElementsAre("a", "b"));
    other_.remove("r-child");
    EXPECT_NO_THROW(remove("r-parent"));
}

TEST_F(DeleteRefusal, SaysThatACloneIsInTheTrash) {
    other_.make("r-parent2");
    other_.snapshot("r-parent2", "s", true);
    other_.clone("r-parent2", "s", "r-child2");
    const auto child_id = other_.id_of("r-child2");
    other_.move_to_trash("r-child2");

    const auto error = error_of([] { remove("r-parent2"); });

    const json expected = {{"image_spec", "rbd/r-child2"}, {"id", child_id}, {"trash", true}, {"snapshot", "s"}};
    EXPECT_EQ(error.extra().at("blockers").at("children").at(0), expected);
    EXPECT_THAT(error, IsError(EBUSY, "in the trash with id " + child_id));
    EXPECT_THAT(other_.snapshots("r-parent2"), ElementsAre("s"));
}

TEST_F(DeleteRefusal, OfAParentWithACloneOfFormat2) {
    other_.make("r-parent3");
    other_.snapshot("r-parent3", "s", true);
    other_.clone("r-parent3", "s", "r-child3", 2);
    rbd_snap_unprotect(other_.open("r-parent3").get(), "s");

    EXPECT_THAT(
        error_of([] { remove("r-parent3"); }),
        IsError(ENOTEMPTY, "[errno 39] RBD image has snapshots (error removing image): it has clones: rbd/r-child3"));
    EXPECT_THAT(other_.snapshots("r-parent3"), ElementsAre("s"));
}

TEST_F(DeleteRefusal, OfSnapshotsWhenToldToNamesThem) {
    other_.make("r-snaps");
    other_.snapshot("r-snaps", "a");
    other_.snapshot("r-snaps", "b");

    const auto error = error_of([] { remove("r-snaps", {{"snapshots", "refuse"}}); });

    EXPECT_THAT(
        error, IsError(ENOTEMPTY, "[errno 39] RBD image has snapshots (error removing image): it has snapshots: a, b"));
    EXPECT_EQ(error.extra().at("blockers").at("snapshots"), (json{"a", "b"}));
    EXPECT_THAT(other_.snapshots("r-snaps"), ElementsAre("a", "b"));
}

TEST_F(DeleteRefusal, OfAMemberOfAGroupNamesTheGroup) {
    other_.make("r-member");
    other_.snapshot("r-member", "s");
    rbd_group_create(other_.pool(), "g");
    ASSERT_EQ(rbd_group_image_add(other_.pool(), "g", other_.pool(), "r-member"), 0);

    const auto error = error_of([] { remove("r-member"); });

    EXPECT_THAT(error, IsError(EMLINK, "[errno 31] error removing image: it belongs to the group rbd/g"));
    EXPECT_EQ(error.extra().at("blockers").at("group"), "rbd/g");
    EXPECT_THAT(other_.snapshots("r-member"), ElementsAre("s"));
}

TEST_F(DeleteRefusal, OfAMirroredImageElsewhereThanAtItsPrimarySite) {
    test_cluster().run("ceph osd pool create r-mir 8 && rbd pool init r-mir && rbd mirror pool enable r-mir image");
    test_cluster().run("rbd create r-mir/copy --size 4 && rbd mirror image enable r-mir/copy snapshot");
    test_cluster().run("rbd mirror image demote r-mir/copy");

    const auto error = error_of([] { remove("", {{"image_spec", "r-mir/copy"}}); });

    EXPECT_THAT(error, IsError(EINVAL, "[errno 22] RBD invalid argument (error removing image): it is the copy of a"));
    EXPECT_EQ(error.extra().at("blockers").at("mirroring"), "non-primary");
    EXPECT_TRUE(OtherClient(theirs(), "r-mir").exists("copy"));
}

TEST_F(DeleteRefusal, OfAnImageThatIsBeingMigrated) {
    other_.make("r-migrating");
    rbd_image_options_t options = nullptr;
    rbd_image_options_create(&options);
    ASSERT_EQ(rbd_migration_prepare(other_.pool(), "r-migrating", other_.pool(), "r-migrated", options), 0);
    rbd_image_options_destroy(options);

    EXPECT_THAT(error_of([] { remove("r-migrated"); }), IsError(EBUSY, "it is being migrated"));
    EXPECT_EQ(rbd_migration_abort(other_.pool(), "r-migrated"), 0);
}

TEST_F(DeleteRefusal, OfAFencedClientSaysSo) {
    other_.make("r-fenced");
    ceph::ClusterOptions options;
    options.conf = test_cluster().conf();
    const auto fenced = ceph::Cluster::connect(options);
    test_cluster().run("ceph osd blocklist add " + fenced->addresses());
    rados_wait_for_latest_osdmap(fenced->handle());
    FakeOperationContext context(fenced.get());

    EXPECT_THAT(error_of([&] { run(rbd::delete_operation, delete_arguments("r-fenced"), context); }),
                IsError(ESHUTDOWN, "blocklist"));
    EXPECT_THAT(error_of([&] { run(rbd::create_operation, create_arguments("r-fenced-2"), context); }),
                IsError(ESHUTDOWN, "blocklist"));

    EXPECT_TRUE(other_.exists("r-fenced"));
    EXPECT_FALSE(other_.exists("r-fenced-2"));
}

TEST_F(DeleteRefusal, WhileAnotherClientRemovesIt) {
    other_.make("r-removed", 1ull << 40, RBD_FEATURE_LAYERING);
    struct Remover {
        std::promise<void> begun;
        std::atomic<bool> stop = false;
        bool told = false;
    } remover;
    std::jthread thread([&] {
        const auto report = [](std::uint64_t, std::uint64_t, void* self) {
            auto& state = *static_cast<Remover*>(self);
            if (!std::exchange(state.told, true)) state.begun.set_value();
            return state.stop ? -ECANCELED : 0;
        };
        rbd_remove_with_progress(other_.pool(), "r-removed", report, &remover);
    });
    remover.begun.get_future().wait();

    const auto error = error_of([] { remove("r-removed"); });
    remover.stop = true;

    EXPECT_THAT(error, IsError(EBUSY, "in use by 127.0.0.1:0/"));
}

}  // namespace
}  // namespace taskd::test
