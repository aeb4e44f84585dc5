#include "cluster/rbd/image_change_fixture.hpp"

#include <cerrno>

namespace taskd::test {
namespace {

using nlohmann::json;

/// Flatten, sparsify, object-map rebuild and migration: operations that work through all of an image.
class ImageWorkTest : public ImageChangeTest {
  protected:
    void make_clone(const std::string& parent, const std::string& child, std::uint64_t size) {
        other_.make(parent, size, usual_features);
        fill(parent, size);
        other_.snapshot(parent, "s", true);
        other_.clone(parent, "s", child);
    }
};

using Flatten = ImageWorkTest;
using Sparsify = ImageWorkTest;
using ObjectMap = ImageWorkTest;
using Migration = ImageWorkTest;

TEST_F(Flatten, MakesACloneIndependent) {
    make_clone("f-parent", "f-clone", 16 * mib);
    const auto before = content("f-clone");

    do_it(rbd::flatten_operation, image("f-clone"));

    EXPECT_FALSE(has_parent("f-clone"));
    EXPECT_EQ(content("f-clone"), before);
}

TEST_F(Flatten, ReportsRisingProgress) {
    make_clone("f-long", "f-long-clone", 4096 * mib);
    FakeOperationContext context(&ours());

    run(rbd::flatten_operation, image("f-long-clone"), context);

    expect_rising(context, 10);
}

TEST_F(Flatten, ThatIsStoppedCanBeFinished) {
    make_clone("f-stop", "f-stop-clone", 1024 * mib);
    FakeOperationContext context(&ours());
    context.stop_after_reports = 10;

    EXPECT_THAT(error_of([&] { run(rbd::flatten_operation, image("f-stop-clone"), context); }),
                IsError(ECANCELED, "flatten it again to finish"));
    EXPECT_TRUE(has_parent("f-stop-clone"));

    do_it(rbd::flatten_operation, image("f-stop-clone"), 2);
    EXPECT_FALSE(has_parent("f-stop-clone"));
}

TEST_F(Flatten, FailsAsTheDashboardDoes) {
    other_.make("f-none");

    EXPECT_THAT(failure(rbd::flatten_operation, image("f-none")),
                IsError(EINVAL, "[errno 22] RBD invalid argument (error flattening b'f-none')"));
    EXPECT_STREQ(failure(rbd::flatten_operation, image("f-missing")).what(),
                 "[errno 2] RBD image not found (error opening image b'f-missing' at snapshot None)");
}

TEST_F(Flatten, InterruptedAtAnyStepIsMadeGoodByTheNextAttempt) {
    interrupt_at_each_step(
        rbd::flatten_operation,
        [&](std::size_t step) {
            const auto name = "f-int-" + std::to_string(step);
            make_clone(name, name + "-clone", 8 * mib);
            return image(name + "-clone");
        },
        [&](std::size_t step) { EXPECT_FALSE(has_parent("f-int-" + std::to_string(step) + "-clone")); });
}

TEST_F(Flatten, ThatWasDoneCountsAsDoneForTheNextAttempt) {
    other_.make("f-done");

    EXPECT_NO_THROW(do_it(rbd::flatten_operation, image("f-done"), 2));
}

TEST_F(Sparsify, GivesBackTheSpaceOfZeros) {
    const auto id = other_.make("s-zeros", 64 * mib, usual_features);
    const std::string zeros(4 * mib, '\0');
    {
        const auto open = other_.open("s-zeros");
        for (std::uint64_t at = 0; at < 64 * mib; at += 4 * mib)
            ASSERT_GT(rbd_write(open.get(), at, zeros.size(), zeros.data()), 0);
    }
    write("s-zeros", {0});
    const auto before = content("s-zeros");
    FakeOperationContext context(&ours());

    run(rbd::sparsify_operation, image("s-zeros"), context);

    EXPECT_EQ(content("s-zeros"), before);
    EXPECT_EQ(other_.objects_with("rbd_data." + id).size(), 1U);
    expect_rising(context, 10);
}

TEST_F(Sparsify, RefusesExtentsLargerThanTheObjects) {
    other_.make("s-large");

    EXPECT_THAT(failure(rbd::sparsify_operation, image("s-large", {{"sparse_size", 8 * mib}})),
                IsError(EINVAL, "sparse_size"));
}

TEST_F(ObjectMap, IsValidAgainOnceItIsRebuilt) {
    other_.make("o-map", 64 * mib, RBD_FEATURE_LAYERING | RBD_FEATURE_EXCLUSIVE_LOCK);
    fill("o-map", 64 * mib);
    do_it(rbd::edit_operation,
          image("o-map", {{"features", {"layering", "exclusive-lock", "object-map", "fast-diff"}}}));
    ASSERT_NE(flags_of("o-map"), 0U);
    FakeOperationContext context(&ours());

    run(rbd::object_map_rebuild_operation, image("o-map"), context);

    EXPECT_EQ(flags_of("o-map"), 0U);
    expect_rising(context, 10);
}

TEST_F(ObjectMap, NeedsItsFeature) {
    other_.make("o-none", 8 * mib, RBD_FEATURE_LAYERING);

    EXPECT_THAT(failure(rbd::object_map_rebuild_operation, image("o-none")), IsError(EINVAL, "lacks the feature"));
    EXPECT_THAT(failure(rbd::object_map_rebuild_operation, image("o-missing")), IsError(ENOENT, "o-missing"));
}

TEST_F(Migration, MovesAnImageToAnotherPoolWithItsDataAndSnapshots) {
    test_cluster().run("ceph osd pool create m-pool 8 && rbd pool init m-pool");
    const OtherClient there(theirs(), "m-pool");
    other_.make("m-src", 64 * mib, usual_features);
    fill("m-src", 64 * mib);
    other_.snapshot("m-src", "s");
    const auto before = content("m-src");

    do_it(rbd::migration_prepare_operation,
          image("m-src", {{"dest_pool_name", "m-pool"}, {"dest_image_name", "m-dst"}}));
    EXPECT_FALSE(other_.exists("m-src"));
    EXPECT_TRUE(there.exists("m-dst"));
    const json moved = {{"image_spec", "m-pool/m-dst"}};
    EXPECT_THAT(failure(rbd::migration_commit_operation, moved), IsError(EINVAL, "not executed yet"));
    FakeOperationContext context(&ours());
    run(rbd::migration_execute_operation, moved, context);
    expect_rising(context, 10);
    EXPECT_THAT(failure(rbd::migration_execute_operation, moved), IsError(EINVAL, "executed already"));
    do_it(rbd::migration_commit_operation, moved);

    EXPECT_THAT(there.snapshots("m-dst"), ::testing::ElementsAre("s"));
    std::string data(before.size(), '?');
    rbd_read(there.open_read_only("m-dst").get(), 0, data.size(), data.data());
    EXPECT_EQ(data, before);
    EXPECT_THAT(failure(rbd::migration_commit_operation, moved), IsError(EINVAL, "not being migrated"));
}

TEST_F(Migration, ThatIsAbortedLeavesTheSourceAsItWas) {
    const auto id = other_.make("m-abort", 16 * mib, usual_features);
    fill("m-abort", 16 * mib);
    const auto before = content("m-abort");
    do_it(rbd::migration_prepare_operation, image("m-abort", {{"dest_image_name", "m-aborted"}}));

    do_it(rbd::migration_abort_operation, image("m-aborted"));

    EXPECT_FALSE(other_.exists("m-aborted"));
    EXPECT_EQ(other_.id_of("m-abort"), id);
    EXPECT_EQ(content("m-abort"), before);
}

TEST_F(Migration, IsNotPreparedOfAnImageInUseOrOverAnother) {
    other_.make("m-used");
    other_.make("m-there");
    EXPECT_EQ(
        failure(rbd::migration_prepare_operation, image("m-used", {{"dest_image_name", "m-there"}})).errno_value(),
        EEXIST);
    const auto user = other_.open("m-used");

    EXPECT_THAT(failure(rbd::migration_prepare_operation, image("m-used", {{"dest_image_name", "m-new"}})),
                IsError(EBUSY, "in use by"));
    EXPECT_TRUE(other_.exists("m-used"));
}

TEST_F(Migration, StepsThatWereDoneCountAsDoneForTheNextAttempt) {
    other_.make("m-again", 8 * mib, usual_features);
    const auto prepare = image("m-again", {{"dest_image_name", "m-again-2"}});
    const auto moved = image("m-again-2");

    do_it(rbd::migration_prepare_operation, prepare);
    EXPECT_NO_THROW(do_it(rbd::migration_prepare_operation, prepare, 2));
    do_it(rbd::migration_execute_operation, moved);
    EXPECT_NO_THROW(do_it(rbd::migration_execute_operation, moved, 2));
    do_it(rbd::migration_commit_operation, moved);
    EXPECT_NO_THROW(do_it(rbd::migration_commit_operation, moved, 2));
    EXPECT_NO_THROW(do_it(rbd::migration_abort_operation, image("m-gone"), 2));
}

TEST_F(Migration, OfAnImageThatIsNotMigratingIsRefused) {
    other_.make("m-still");

    for (const auto* operation :
         {&rbd::migration_execute_operation, &rbd::migration_commit_operation, &rbd::migration_abort_operation})
        EXPECT_THAT(failure(*operation, image("m-still")), IsError(EINVAL, "not being migrated"));
}

}  // namespace
}  // namespace taskd::test
