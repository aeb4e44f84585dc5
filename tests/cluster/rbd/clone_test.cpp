#include "cluster/rbd/snapshot_fixture.hpp"

#include <rbd/features.h>

namespace taskd::test {
namespace {

using nlohmann::json;
using ::testing::Contains;
using ::testing::Not;

class Clone : public SnapshotTest {
  protected:
    /// A parent with a protected snapshot "s".
    void make_parent(const std::string& name) {
        other_.make(name);
        other_.snapshot(name, "s", true);
    }

    static json of(const std::string& parent, const std::string& child, const json& more = json::object()) {
        json arguments = at(parent, "s", {{"child_pool_name", "rbd"}, {"child_image_name", child}});
        arguments.update(more);
        return arguments;
    }

    static rbd_image_info_t stat(const rbd::OpenImage& image) {
        rbd_image_info_t info{};
        rbd_stat(image.get(), &info, sizeof info);
        return info;
    }
};

TEST_F(Clone, HasItsParentAndWhatWasAskedFor) {
    make_parent("c-parent");

    EXPECT_EQ(do_it(rbd::clone_operation, of("c-parent", "c-child",
                                             {{"obj_size", 1 << 20},
                                              {"features", {"layering", "exclusive-lock"}},
                                              {"configuration", {{"rbd_qos_iops_limit", 100}}}})),
              nullptr);

    const auto child = other_.open_read_only("c-child");
    std::uint64_t features = 0;
    rbd_get_features(child.get(), &features);
    EXPECT_TRUE(has_parent("c-child"));
    EXPECT_EQ(stat(child).order, 20);
    EXPECT_EQ(features & (RBD_FEATURE_LAYERING | RBD_FEATURE_EXCLUSIVE_LOCK | RBD_FEATURE_OBJECT_MAP),
              RBD_FEATURE_LAYERING | RBD_FEATURE_EXCLUSIVE_LOCK);
    EXPECT_EQ(other_.metadata("c-child").at("conf_rbd_qos_iops_limit"), "100");
}

TEST_F(Clone, GoesIntoAnotherPoolAndNamespace) {
    test_cluster().run("ceph osd pool create c-pool 8 && rbd pool init c-pool && rbd namespace create c-pool/ns");
    make_parent("c-far");

    EXPECT_THAT(
        failure(rbd::clone_operation, of("c-far", "c", {{"child_pool_name", "c-pool"}, {"child_namespace", "ns"}})),
        IsError(EXDEV, "must be of format 2"));
    do_it(rbd::clone_operation, of("c-far", "c", {{"child_pool_name", "c-pool"}}));

    EXPECT_TRUE(OtherClient(theirs(), "c-pool").exists("c"));
}

TEST_F(Clone, FailsInTheDashboardsWords) {
    make_parent("c-words");
    other_.snapshot("c-words", "open");
    other_.make("c-there");

    EXPECT_STREQ(failure(rbd::clone_operation, of("c-words", "c-there")).what(),
                 "[errno 17] RBD image already exists (error creating clone)");
    EXPECT_THAT(failure(rbd::clone_operation, of("c-none", "c")),
                IsError(ENOENT, "[errno 2] RBD image not found (error creating clone): parent image 'rbd/c-none'"));
    EXPECT_THAT(failure(rbd::clone_operation, of("c-words", "c", {{"snapshot_name", "no"}})),
                IsError(ENOENT, "[errno 2] RBD image not found (error creating clone): the parent image has no"));
    EXPECT_THAT(failure(rbd::clone_operation, of("c-words", "c", {{"snapshot_name", "open"}})),
                IsError(EINVAL, "[errno 22] RBD invalid argument (error creating clone): snapshot 'open' is not prot"));
    const auto no_pool = failure(rbd::clone_operation, of("c-words", "c", {{"child_pool_name", "nopool"}}));
    EXPECT_STREQ(no_pool.what(), "[errno 2] RADOS object not found (error opening pool 'nopool')");
    EXPECT_EQ(no_pool.component(), "pool");
    EXPECT_FALSE(other_.exists("c"));
}

TEST_F(Clone, WithABadConfigurationLeavesNothing) {
    make_parent("c-conf");

    EXPECT_THAT(failure(rbd::clone_operation, of("c-conf", "c-bad", {{"configuration", {{"rbd_nonsense", "1"}}}})),
                IsError(EINVAL, "rbd_nonsense"));
    EXPECT_FALSE(other_.exists("c-bad"));
}

TEST_F(Clone, IntoAnErasureCodedDataPoolWithoutOverwritesIsRefusedWithTheRemedy) {
    test_cluster().run(
        "ceph osd erasure-code-profile set c-ec k=2 m=1 crush-failure-domain=osd --force && "
        "ceph osd pool create c-ec 8 8 erasure c-ec");
    make_parent("c-parent-ec");

    EXPECT_THAT(failure(rbd::clone_operation, of("c-parent-ec", "c", {{"data_pool", "c-ec"}})),
                IsError(EINVAL, "ceph osd pool set c-ec allow_ec_overwrites true"));
    test_cluster().run("ceph osd pool delete c-ec c-ec --yes-i-really-really-mean-it");
}

TEST_F(Clone, OfANameThatIsBeingRemovedIsRefused) {
    make_parent("c-busy");
    other_.make("c-half", 1ULL << 32, RBD_FEATURE_LAYERING);
    other_.remove_half("c-half");

    const auto error = failure(rbd::clone_operation, of("c-busy", "c-half"));

    EXPECT_EQ(error.kind(), ErrorKind::conflict);
    EXPECT_THAT(error, IsError(EEXIST, "has not ended"));
}

TEST_F(Clone, InterruptedAtAnyStepIsMadeByTheNextAttempt) {
    make_parent("c-int");
    const auto name = [](std::size_t step) { return "c-int-" + std::to_string(step); };
    interrupt_at_each_step(
        rbd::clone_operation,
        [&](std::size_t step) {
            return of("c-int", name(step), {{"configuration", {{"rbd_qos_iops_limit", 100}}}});
        },
        [&](std::size_t step) {
            EXPECT_TRUE(has_parent(name(step)));
            EXPECT_EQ(other_.metadata(name(step)).at("conf_rbd_qos_iops_limit"), "100");
        });
}

TEST_F(Clone, ThatWasLeftWithoutItsParentIsMadeAnew) {
    make_parent("c-orphan");
    other_.make("c-orphan-child");

    do_it(rbd::clone_operation, of("c-orphan", "c-orphan-child"), 2);

    EXPECT_TRUE(has_parent("c-orphan-child"));
}

TEST_F(Clone, ThatWasLeftWithoutAHeaderIsMadeAnew) {
    make_parent("c-headless");
    const auto id = other_.make("c-headless-child", 1 << 22, RBD_FEATURE_LAYERING);
    rados_remove(other_.pool(), ("rbd_header." + id).c_str());

    do_it(rbd::clone_operation, of("c-headless", "c-headless-child"), 2);

    EXPECT_TRUE(has_parent("c-headless-child"));
}

TEST_F(Clone, TakesNoImageWithDataForItsOwn) {
    make_parent("c-mine");
    other_.make("c-theirs");
    write("c-theirs", 'x');
    other_.make("c-snapped");
    other_.snapshot("c-snapped", "s");

    for (const auto* name : {"c-theirs", "c-snapped"})
        EXPECT_STREQ(failure(rbd::clone_operation, of("c-mine", name), 2).what(),
                     "[errno 17] RBD image already exists (error creating clone)");

    EXPECT_EQ(first_byte("c-theirs"), 'x');
    EXPECT_FALSE(has_parent("c-theirs"));
}

TEST_F(Clone, TakesNoCloneOfAnotherSnapshotForItsOwn) {
    make_parent("c-one");
    make_parent("c-two");
    other_.clone("c-two", "s", "c-of-two");

    EXPECT_THAT(failure(rbd::clone_operation, of("c-one", "c-of-two"), 2), IsError(EEXIST, "error creating clone"));
}

TEST_F(Clone, FinishesTheRemovalThatAnEarlierAttemptBeganWhenItClearedAHalfMadeOne) {
    make_parent("c-cleared");
    other_.make("c-cleared-child", 1ull << 34, RBD_FEATURE_LAYERING);
    other_.remove_half("c-cleared-child");
    EXPECT_THAT(failure(rbd::clone_operation, of("c-cleared", "c-cleared-child")), IsError(EEXIST, "has not ended"));

    do_it(rbd::clone_operation, of("c-cleared", "c-cleared-child"), 2);

    EXPECT_TRUE(has_parent("c-cleared-child"));
}

}  // namespace
}  // namespace taskd::test
