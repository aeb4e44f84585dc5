#include "cluster/rbd/image_change_fixture.hpp"

#include <cerrno>

namespace taskd::test {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

using Copy = ImageChangeTest;
using DeepCopy = ImageChangeTest;

TEST_F(Copy, HoldsTheSourcesDataMetadataAndLayout) {
    other_.make("c-src", 64 * mib + 12345, usual_features);
    write("c-src", {0, 4096, 3 * mib, 40 * mib + 512, 64 * mib + 8000}, 4000);
    rbd_metadata_set(other_.open("c-src").get(), "owner", "me");

    do_it(rbd::copy_operation, to("c-src", "c-dst"));

    EXPECT_EQ(content("c-dst"), content("c-src"));
    EXPECT_EQ(features_of("c-dst"), features_of("c-src"));
    EXPECT_EQ(other_.metadata("c-dst").at("owner"), "me");
    EXPECT_THAT(unfinished(), IsEmpty());
}

TEST_F(Copy, WritesNoZeros) {
    other_.make("c-sparse", 64 * mib, RBD_FEATURE_LAYERING);
    write("c-sparse", {8 * mib});

    do_it(rbd::copy_operation, to("c-sparse", "c-sparse-copy"));

    EXPECT_EQ(other_.objects_with("rbd_data." + other_.id_of("c-sparse-copy")).size(), 1U);
}

TEST_F(Copy, OfASnapshotHoldsItsDataAndSize) {
    other_.make("c-snap", 16 * mib);
    write("c-snap", {0});
    other_.snapshot("c-snap", "s");
    const auto before = content("c-snap");
    write("c-snap", {4096, 12 * mib});
    rbd_resize(other_.open("c-snap").get(), 32 * mib);

    do_it(rbd::copy_operation, to("c-snap", "c-of-snap", {{"snapshot_name", "s"}}));

    EXPECT_EQ(content("c-of-snap"), before);
    EXPECT_THAT(other_.snapshots("c-of-snap"), IsEmpty());
}

TEST_F(Copy, OfACloneHoldsItsParentsData) {
    other_.make("c-parent", 16 * mib, usual_features);
    write("c-parent", {0, 9 * mib});
    other_.snapshot("c-parent", "s", true);
    other_.clone("c-parent", "s", "c-clone");
    write("c-clone", {4 * mib});

    do_it(rbd::copy_operation, to("c-clone", "c-of-clone"));

    EXPECT_EQ(content("c-of-clone"), content("c-clone"));
    EXPECT_FALSE(has_parent("c-of-clone"));
}

TEST_F(Copy, TakesAnotherLayoutPoolAndConfiguration) {
    test_cluster().run("ceph osd pool create c-pool 8 && rbd pool init c-pool && rbd namespace create c-pool/ns");
    other_.make("c-other", 16 * mib, usual_features);
    write("c-other", {0, 5 * mib});
    const OtherClient there(theirs(), "c-pool", "ns");

    do_it(rbd::copy_operation, to("c-other", "x",
                                  {{"dest_pool_name", "c-pool"},
                                   {"dest_namespace", "ns"},
                                   {"obj_size", mib},
                                   {"features", {"layering"}},
                                   {"stripe_unit", mib / 2},
                                   {"stripe_count", 2},
                                   {"configuration", {{"rbd_qos_iops_limit", 7}}}}));

    rbd_image_info_t info{};
    const auto made = there.open_read_only("x");
    rbd_stat(made.get(), &info, sizeof info);
    EXPECT_EQ(info.order, 20);
    std::uint64_t count = 0;
    rbd_get_stripe_count(made.get(), &count);
    EXPECT_EQ(count, 2U);
    EXPECT_EQ(there.metadata("x").at("conf_rbd_qos_iops_limit"), "7");
    std::string data(16 * mib, '?');
    rbd_read(made.get(), 0, data.size(), data.data());
    EXPECT_EQ(data, content("c-other"));
}

TEST_F(Copy, ReportsRisingProgress) {
    other_.make("c-long", 4096 * mib, usual_features);
    fill("c-long", 4096 * mib);
    FakeOperationContext context(&ours());

    run(rbd::copy_operation, to("c-long", "c-long-copy"), context);

    expect_rising(context, 10);
}

TEST_F(Copy, ThatIsStoppedLeavesNothing) {
    other_.make("c-stop", 1024 * mib);
    fill("c-stop", 1024 * mib);
    FakeOperationContext context(&ours());
    context.stop_after_reports = 20;

    EXPECT_THAT(error_of([&] { run(rbd::copy_operation, to("c-stop", "c-stopped"), context); }),
                IsError(ECANCELED, "error copying image b'c-stop' to b'c-stopped'"));

    EXPECT_LT(context.reports().size(), 40U);
    EXPECT_FALSE(other_.exists("c-stopped"));
    EXPECT_THAT(unfinished(), IsEmpty());
}

TEST_F(Copy, IsSeenUnderItsNameOnlyWhenItIsWhole) {
    other_.make("c-whole", 8 * mib);
    bool was_there = false;
    FakeOperationContext context(&ours());
    context.on_step = [&](std::string_view step) {
        if (step == "give it its name") was_there = other_.exists("c-whole-copy");
    };

    run(rbd::copy_operation, to("c-whole", "c-whole-copy"), context);

    EXPECT_FALSE(was_there);
    EXPECT_TRUE(other_.exists("c-whole-copy"));
}

TEST_F(Copy, InterruptedAtAnyStepIsMadeGoodByTheNextAttempt) {
    other_.make("c-int", 8 * mib);
    write("c-int", {0, 5 * mib});

    interrupt_at_each_step(
        rbd::copy_operation,
        [&](std::size_t step) {
            return to("c-int", "c-int-" + std::to_string(step), {{"configuration", {{"rbd_qos_iops_limit", 7}}}});
        },
        [&](std::size_t step) {
            const auto name = "c-int-" + std::to_string(step);
            EXPECT_EQ(content(name), content("c-int")) << step;
            EXPECT_EQ(other_.metadata(name).at("conf_rbd_qos_iops_limit"), "7");
            EXPECT_THAT(unfinished(), IsEmpty());
        });
}

TEST_F(Copy, TakesNoImageOfAnotherForItsOwn) {
    other_.make("c-mine", 8 * mib);
    other_.make("c-theirs", 4 * mib);

    for (const int attempt : {1, 2})
        EXPECT_STREQ(failure(rbd::copy_operation, to("c-mine", "c-theirs"), attempt).what(),
                     "[errno 17] RBD image already exists (error copying image b'c-mine' to b'c-theirs')");
    EXPECT_THAT(unfinished(), IsEmpty());
}

TEST_F(Copy, FailsAsTheDashboardDoes) {
    other_.make("c-fail");

    EXPECT_STREQ(failure(rbd::copy_operation, to("c-none", "x")).what(),
                 "[errno 2] RBD image not found (error opening image b'c-none' at snapshot None)");
    const auto no_pool = failure(rbd::copy_operation, to("c-fail", "x", {{"dest_pool_name", "nopool"}}));
    EXPECT_STREQ(no_pool.what(), "[errno 2] RADOS object not found (error opening pool 'nopool')");
    EXPECT_EQ(no_pool.component(), "pool");
    EXPECT_STREQ(failure(rbd::copy_operation, to("c-fail", "x", {{"snapshot_name", "nosnap"}})).what(),
                 "[errno 2] RBD image not found (error setting image b'c-fail' to snapshot b'nosnap')");
}

TEST_F(Copy, MakesNothingWhenTheRequestCannotBeMet) {
    other_.make("c-check", 8 * mib);

    EXPECT_THAT(failure(rbd::copy_operation, to("c-check", "x", {{"configuration", {{"bogus", 1}}}})),
                IsError(EINVAL, "bogus"));
    EXPECT_THAT(failure(rbd::copy_operation, to("c-check", "x", {{"dest_namespace", "nons"}})),
                IsError(ENOENT, "namespace 'nons' does not exist"));
    EXPECT_THAT(failure(rbd::copy_operation, to("c-check", "x", {{"data_pool", "nopool"}})),
                IsError(ENOENT, "data pool 'nopool' does not exist"));
    EXPECT_THAT(failure(rbd::copy_operation, to("c-check", "x", {{"features", {"object-map"}}})),
                IsError(EINVAL, "object-map needs exclusive-lock"));
    EXPECT_THAT(unfinished(), IsEmpty());
    EXPECT_FALSE(other_.exists("x"));
}

TEST_F(Copy, FailsWhenItsSourceGoesMeanwhile) {
    other_.make("c-going", 8 * mib);
    FakeOperationContext context(&ours());
    context.on_step = [&](std::string_view step) {
        if (step == "copy") other_.remove("c-going");
    };

    EXPECT_THAT(error_of([&] { run(rbd::copy_operation, to("c-going", "c-gone"), context); }),
                IsError(ENOENT, "the source was removed while it was copied"));

    EXPECT_THAT(unfinished(), IsEmpty());
}

TEST_F(Copy, EndsThoughItsSourceIsSnapshottedMeanwhile) {
    other_.make("c-hang", 64 * mib);
    fill("c-hang", 64 * mib);
    rbd_metadata_set(other_.open("c-hang").get(), "conf_rbd_qos_iops_limit", "50");
    const auto user = other_.open("c-hang");
    FakeOperationContext context(&ours());
    context.on_step = [&](std::string_view step) {
        if (step != "copy") return;
        EXPECT_EQ(rbd_snap_create(user.get(), "meanwhile"), 0);
    };

    run(rbd::copy_operation, to("c-hang", "c-hung"), context);

    EXPECT_EQ(content("c-hung"), content("c-hang"));
}

TEST_F(DeepCopy, HasTheSnapshotsToo) {
    other_.make("dc-src", 16 * mib, usual_features);
    write("dc-src", {0});
    other_.snapshot("dc-src", "a");
    write("dc-src", {8 * mib});
    other_.snapshot("dc-src", "b", true);

    do_it(rbd::deep_copy_operation, to("dc-src", "dc-dst"));

    EXPECT_THAT(other_.snapshots("dc-dst"), ElementsAre("a", "b"));
    EXPECT_EQ(content("dc-dst"), content("dc-src"));
    EXPECT_EQ(content("dc-dst", "a"), content("dc-src", "a"));
    EXPECT_THAT(unfinished(), IsEmpty());
}

TEST_F(DeepCopy, KeepsTheParentUnlessItIsFlattened) {
    other_.make("dc-parent", 8 * mib, usual_features);
    write("dc-parent", {0});
    other_.snapshot("dc-parent", "s", true);
    other_.clone("dc-parent", "s", "dc-clone");

    do_it(rbd::deep_copy_operation, to("dc-clone", "dc-kept"));
    do_it(rbd::deep_copy_operation, to("dc-clone", "dc-flat", {{"flatten", true}}));

    EXPECT_TRUE(has_parent("dc-kept"));
    EXPECT_FALSE(has_parent("dc-flat"));
    EXPECT_EQ(content("dc-flat"), content("dc-clone"));
}

TEST_F(DeepCopy, ReportsRisingProgress) {
    other_.make("dc-long", 4096 * mib, usual_features);
    fill("dc-long", 4096 * mib);
    FakeOperationContext context(&ours());

    run(rbd::deep_copy_operation, to("dc-long", "dc-long-copy"), context);

    expect_rising(context, 10);
}

TEST_F(DeepCopy, InterruptedAtAnyStepIsMadeGoodByTheNextAttempt) {
    other_.make("dc-int", 8 * mib, usual_features);
    write("dc-int", {0});
    other_.snapshot("dc-int", "a", true);

    interrupt_at_each_step(
        rbd::deep_copy_operation,
        [&](std::size_t step) {
            return to("dc-int", "dc-int-" + std::to_string(step), {{"configuration", {{"rbd_qos_iops_limit", 7}}}});
        },
        [&](std::size_t step) {
            const auto name = "dc-int-" + std::to_string(step);
            EXPECT_EQ(content(name), content("dc-int")) << step;
            EXPECT_THAT(other_.snapshots(name), ElementsAre("a")) << step;
            EXPECT_THAT(unfinished(), IsEmpty());
        });
}

TEST_F(DeepCopy, ThatFailsAtTheEndLeavesNothing) {
    other_.make("dc-fail", 8 * mib, usual_features);
    other_.snapshot("dc-fail", "a", true);
    FakeOperationContext context(&ours());
    context.on_step = [&](std::string_view step) {
        if (step == "give it its name") other_.make("dc-taken");
    };

    EXPECT_THAT(error_of([&] { run(rbd::deep_copy_operation, to("dc-fail", "dc-taken"), context); }),
                IsError(EEXIST, "somebody else has made an image of that name"));

    EXPECT_THAT(unfinished(), IsEmpty());
    EXPECT_THAT(other_.snapshots("dc-taken"), IsEmpty());
}

}  // namespace
}  // namespace taskd::test
