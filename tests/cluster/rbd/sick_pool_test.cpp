#include "cluster/rbd/snapshot_fixture.hpp"
#include "rbd/pool_probe.hpp"

namespace taskd::test {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;

/// A pool whose placement groups cannot become active stops nothing but what cannot do without it.
class SickPool : public SnapshotTest {
  protected:
    static void SetUpTestSuite() {
        test_cluster().run(
            "ceph osd pool create sick 8 && ceph osd pool set sick size 3 && ceph osd pool set sick min_size 3 && "
            "ceph osd pool application enable sick rbd");
        rados_wait_for_latest_osdmap(ours().handle());
    }
    static void TearDownTestSuite() {
        test_cluster().run("ceph osd pool delete sick sick --yes-i-really-really-mean-it");
    }
};

TEST_F(SickPool, IsToldFromTheOthers) {
    EXPECT_THAT(rbd::silent_pools(ours(), {}, "", "rbd_children", std::chrono::seconds(2)), ElementsAre("sick"));
}

TEST_F(SickPool, FailsAnUnprotectInsteadOfHangingIt) {
    other_.make("p-unprotect");
    other_.snapshot("p-unprotect", "s", true);

    EXPECT_THAT(failure(rbd::snapshot_edit_operation, at("p-unprotect", "s", {{"is_protected", false}})),
                IsError(ETIMEDOUT, "pool 'sick' does not answer"));
    EXPECT_TRUE(is_protected("p-unprotect", "s"));
}

TEST_F(SickPool, FailsADeleteOfAProtectedSnapshotBeforeAnythingIsGone) {
    other_.make("p-delete");
    other_.snapshot("p-delete", "a");
    other_.snapshot("p-delete", "b", true);

    EXPECT_THAT(error_of([] { remove("p-delete"); }), IsError(ETIMEDOUT, "pool 'sick' does not answer"));
    EXPECT_THAT(other_.snapshots("p-delete"), ElementsAre("a", "b"));
}

TEST_F(SickPool, DoesNotConcernWhatNeedsNoOtherPool) {
    other_.make("p-plain");
    other_.snapshot("p-plain", "a");

    do_it(rbd::snapshot_create_operation, at("p-plain", "b", {{"mirrorImageSnapshot", false}}));
    do_it(rbd::snapshot_edit_operation, at("p-plain", "b", {{"is_protected", true}}));
    do_it(rbd::snapshot_rollback_operation, at("p-plain", "b"));
    EXPECT_THAT(other_.snapshots("p-plain"), ElementsAre("a", "b"));
    other_.make("p-delete-plain");
    other_.snapshot("p-delete-plain", "a");
    EXPECT_NO_THROW(remove("p-delete-plain"));
}

TEST_F(SickPool, DoesNotKeepTheTrashOfOthersFull) {
    const auto id = other_.make("p-trash");
    other_.move_to_trash("p-trash");

    const auto error = failure(rbd::trash_purge_operation, json::object());

    EXPECT_THAT(error, IsError(ETIMEDOUT, "pool 'sick' does not answer"));
    EXPECT_FALSE(is_in_trash(id));
}

TEST_F(SickPool, FailsACreateOfDataInItInsteadOfHangingIt) {
    EXPECT_THAT(error_of([] {
                    create("p-data", {{"data_pool", "sick"}});
                }),
                IsError(ETIMEDOUT, "data pool 'sick' does not answer"));
    EXPECT_FALSE(other_.exists("p-data"));
}

TEST_F(SickPool, FailsANamespaceInsteadOfHangingIt) {
    EXPECT_THAT(failure(rbd::namespace_create_operation, {{"pool_name", "sick"}, {"namespace", "n"}}),
                IsError(ETIMEDOUT, "pool 'sick' does not answer"));
}

}  // namespace
}  // namespace taskd::test
