#include "cluster/rbd/operation_test.hpp"

#include <atomic>
#include <cerrno>
#include <thread>

#include <rbd/features.h>

namespace taskd::test {
namespace {

using nlohmann::json;
using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::Not;

class Create : public OperationTest {
  protected:
    rbd_image_info_t stat(const std::string& name) {
        rbd_image_info_t info{};
        rbd_stat(other_.open_read_only(name).get(), &info, sizeof info);
        return info;
    }

    std::uint64_t features(const std::string& name) {
        std::uint64_t features = 0;
        rbd_get_features(other_.open_read_only(name).get(), &features);
        return features;
    }

    /// It is not there and nothing of it is.
    void expect_nothing_left(const std::string& name) {
        EXPECT_FALSE(other_.exists(name));
        EXPECT_THAT(other_.objects_with(name), IsEmpty());
        EXPECT_THAT(other_.listed(), Not(Contains(name)));
    }
};

TEST_F(Create, MakesAnImageWithTheClustersDefaults) {
    EXPECT_EQ(create("c-default", {{"size", 10240}}), nullptr);

    EXPECT_EQ(stat("c-default").size, 10240u);
    EXPECT_EQ(stat("c-default").order, 22);
    EXPECT_EQ(features("c-default"), RBD_FEATURES_DEFAULT);
    EXPECT_EQ(other_.watchers("c-default"), 0u);
}

TEST_F(Create, SaysThatTheNameIsTakenInTheDashboardsWords) {
    other_.make("c-twice");

    const auto error = error_of([] { create("c-twice"); });

    EXPECT_STREQ(error.what(), "[errno 17] RBD image already exists (error creating image)");
    EXPECT_EQ(error.component(), "rbd");
}

TEST_F(Create, NamesTheMissingPool) {
    const auto error = error_of([] { create("c-x", {{"pool_name", "nopool"}}); });

    EXPECT_STREQ(error.what(), "[errno 2] RADOS object not found (error opening pool 'nopool')");
    EXPECT_EQ(error.component(), "pool");
}

TEST_F(Create, FindsAPoolThatWasMadeAgainUnderItsName) {
    for (int round = 0; round < 2; ++round) {
        test_cluster().run("ceph osd pool create c-again 8 && rbd pool init c-again");
        EXPECT_NO_THROW(create("c-x", {{"pool_name", "c-again"}}));
        test_cluster().run("ceph osd pool delete c-again c-again --yes-i-really-really-mean-it");
    }
}

TEST_F(Create, NamesTheMissingNamespace) {
    const auto error = error_of([] { create("c-x", {{"namespace", "nons"}}); });
    EXPECT_STREQ(error.what(),
                 "[errno 2] RBD image not found (error creating image): namespace 'nons' does not exist in pool 'rbd'");
}

TEST_F(Create, NamesTheMissingDataPool) {
    const auto error = error_of([] { create("c-nodata", {{"data_pool", "nopool"}}); });

    EXPECT_STREQ(error.what(),
                 "[errno 2] RBD image not found (error creating image): data pool 'nopool' does not exist");
    expect_nothing_left("c-nodata");
}

TEST_F(Create, WorksInANamespace) {
    rbd_namespace_create(other_.pool(), "ns");

    create("c-ns", {{"namespace", "ns"}});

    EXPECT_TRUE(OtherClient(theirs(), "rbd", "ns").exists("c-ns"));
    EXPECT_FALSE(other_.exists("c-ns"));
}

TEST_F(Create, TakesAnySizeUpToTheLimit) {
    for (const std::uint64_t size : {0ull, 1ull, (4ull << 20) - 1, 1ull << 40}) {
        const auto name = "c-size-" + std::to_string(size);
        create(name, {{"size", size}});
        EXPECT_EQ(stat(name).size, size);
    }
}

TEST_F(Create, RoundsTheObjectSizeToAPowerOfTwo) {
    create("c-order-22", {{"obj_size", 4194305}});
    create("c-order-20", {{"obj_size", 1048576}});

    EXPECT_EQ(stat("c-order-22").order, 22);
    EXPECT_EQ(stat("c-order-20").order, 20);
}

TEST_F(Create, SaysWhichObjectSizesThereAre) {
    for (const auto size : {512, 1 << 26})
        EXPECT_THAT(error_of([size] {
                        create("c-order", {{"obj_size", size}});
                    }),
                    IsError(EDOM, "[errno 33] RBD arguments out of range (error creating image): obj_size: "));
}

TEST_F(Create, SwitchesOnTheFeaturesAskedForAndNoOther) {
    create("c-layering", {{"features", {"layering", "exclusive-lock"}}});
    create("c-none", {{"features", json::array()}});

    EXPECT_EQ(features("c-layering"), RBD_FEATURE_LAYERING | RBD_FEATURE_EXCLUSIVE_LOCK);
    EXPECT_EQ(features("c-none"), 0u);
}

TEST_F(Create, SaysWhichFeatureIsMissing) {
    EXPECT_THAT(error_of([] {
                    create("c-f", {{"features", {"object-map"}}});
                }),
                IsError(EINVAL,
                        "[errno 22] RBD invalid argument (error creating image): features: object-map needs "
                        "exclusive-lock"));
}

TEST_F(Create, StripesTheImage) {
    create("c-striped", {{"stripe_unit", 65536}, {"stripe_count", 16}});

    std::uint64_t count = 0;
    rbd_get_stripe_count(other_.open_read_only("c-striped").get(), &count);
    EXPECT_EQ(count, 16u);
}

TEST_F(Create, SaysWhatIsWrongWithTheStriping) {
    EXPECT_THAT(error_of([] {
                    create("c-s", {{"stripe_unit", 65537}, {"stripe_count", 16}});
                }),
                IsError(EINVAL, "(error creating image): stripe_unit: "));
    EXPECT_THAT(error_of([] {
                    create("c-s", {{"stripe_unit", 65536}});
                }),
                IsError(EINVAL, "(error creating image): stripe_unit and stripe_count go together"));
}

TEST_F(Create, SaysThatAnObjectMapWouldBeTooLarge) {
    EXPECT_THAT(error_of([] {
                    create("c-map", {{"size", 1ull << 50}});
                }),
                IsError(EINVAL, "(error creating image): size: more than the 256000000 objects of an object map"));
    expect_nothing_left("c-map");
}

TEST_F(Create, PutsTheDataIntoTheDataPool) {
    test_cluster().run("ceph osd pool create c-data 8 && ceph osd pool application enable c-data rbd");

    create("c-in-data", {{"data_pool", "c-data"}});

    EXPECT_EQ(rbd_get_data_pool_id(other_.open_read_only("c-in-data").get()), theirs().open_ioctx("c-data").pool_id());
}

TEST_F(Create, RefusesErasureCodedPoolsThatCannotHoldIt) {
    test_cluster().run("ceph osd pool create c-ec 8 8 erasure");

    EXPECT_THAT(error_of([] { create("c-ec", {{"pool_name", "c-ec"}}); }), IsError(EOPNOTSUPP, "erasure-coded"));
    EXPECT_THAT(error_of([] {
                    create("c-ec", {{"data_pool", "c-ec"}});
                }),
                IsError(EINVAL, "ceph osd pool set c-ec allow_ec_overwrites true"));
    expect_nothing_left("c-ec");

    // With one OSD it never becomes active, and librbd looks for clones in every pool.
    test_cluster().run("ceph osd pool delete c-ec c-ec --yes-i-really-really-mean-it");
}

TEST_F(Create, KeepsTheConfigurationWithTheImage) {
    create("c-conf",
           {{"configuration", {{"rbd_qos_iops_limit", 100}, {"rbd_cache", false}, {"rbd_qos_bps_limit", nullptr}}}});

    const std::map<std::string, std::string> expected = {{"conf_rbd_cache", "false"},
                                                         {"conf_rbd_qos_iops_limit", "100"}};
    EXPECT_EQ(other_.metadata("c-conf"), expected);
    EXPECT_EQ(other_.watchers("c-conf"), 0u);
}

TEST_F(Create, LeavesNothingBehindWhenAnOptionIsUnknown) {
    const auto error = error_of([] { create("c-bogus", {{"configuration", {{"rbd_bogus", 1}}}}); });

    EXPECT_THAT(error, IsError(EINVAL,
                               "[errno 22] RBD invalid argument (error setting metadata b'conf_rbd_bogus' for "
                               "image b'c-bogus')"));
    expect_nothing_left("c-bogus");
}

TEST_F(Create, LeavesNothingBehindWhenAnOptionsValueIsBad) {
    EXPECT_THAT(error_of([] {
                    create("c-bad", {{"configuration", {{"rbd_qos_iops_limit", "abc"}}}});
                }),
                IsError(EINVAL, "conf_rbd_qos_iops_limit"));
    expect_nothing_left("c-bad");
}

TEST_F(Create, RemovesTheImageAgainWhenALaterStepFails) {
    test_cluster().run("ceph osd pool create c-roll 8 && rbd pool init c-roll && rbd mirror pool enable c-roll image");
    const OtherClient there(theirs(), "c-roll");
    FakeOperationContext context(&ours());
    context.on_step = [&](std::string_view step) {
        if (step == "enable mirroring") rbd_mirror_mode_set(there.pool(), RBD_MIRROR_MODE_DISABLED);
    };
    const auto arguments = create_arguments("c-rolled", {{"pool_name", "c-roll"}, {"mirror_mode", "snapshot"}});

    EXPECT_THAT(error_of([&] { run(rbd::create_operation, arguments, context); }),
                IsError(EINVAL, "error enabling mirroring for image b'c-rolled'"));

    EXPECT_EQ(context.steps().back(), "remove the image again");
    EXPECT_THAT(there.objects_with("c-rolled"), IsEmpty());
    EXPECT_THAT(there.listed(), IsEmpty());
}

TEST_F(Create, RefusesMirroringInAPoolWithout) {
    EXPECT_THAT(error_of([] {
                    create("c-mirror", {{"mirror_mode", "journal"}});
                }),
                IsError(EINVAL, "[errno 22] RBD invalid argument (error enabling mirroring for image b'c-mirror')"));
    expect_nothing_left("c-mirror");
}

TEST_F(Create, EnablesMirroring) {
    test_cluster().run("ceph osd pool create c-mir 8 && rbd pool init c-mir && rbd mirror pool enable c-mir image");
    const OtherClient there(theirs(), "c-mir");

    for (const auto* mode : {"snapshot", "journal"}) {
        create(mode, {{"pool_name", "c-mir"}, {"mirror_mode", mode}, {"features", {"exclusive-lock", "journaling"}}});
        rbd_mirror_image_mode_t got{};
        EXPECT_EQ(rbd_mirror_image_get_mode(there.open_read_only(mode).get(), &got), 0);
        EXPECT_EQ(got,
                  mode == std::string("snapshot") ? RBD_MIRROR_IMAGE_MODE_SNAPSHOT : RBD_MIRROR_IMAGE_MODE_JOURNAL);
    }
}

TEST_F(Create, RefusesANameWhoseOldImageIsStillBeingRemoved) {
    const auto id = other_.make("c-removing", 1ull << 40, RBD_FEATURE_LAYERING);
    other_.remove_half("c-removing");

    const auto error = error_of([] { create("c-removing"); });

    EXPECT_EQ(error.kind(), ErrorKind::conflict);
    EXPECT_THAT(error, IsError(EEXIST, id));
    EXPECT_FALSE(other_.exists("c-removing"));
}

TEST_F(Create, TakesEveryNameThatDeleteCanAddress) {
    for (const std::string name : {"-x", "..", " ", "with space", "ünï", "\xF0\x9F\x98\x80", "a%2Fb", "'\"\\"}) {
        create(name);
        EXPECT_TRUE(other_.exists(name)) << name;
        remove(name);
        EXPECT_FALSE(other_.exists(name)) << name;
    }
}

TEST_F(Create, OfOneNameByManySucceedsOnce) {
    std::atomic<int> made = 0;
    std::atomic<int> refused = 0;
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 16; ++i)
            threads.emplace_back([&] {
                try {
                    create("c-race");
                    ++made;
                } catch (const Error& error) {
                    if (error.errno_value() == EEXIST) ++refused;
                }
            });
    }
    EXPECT_EQ(made, 1);
    EXPECT_EQ(refused, 15);
}

TEST_F(Create, DoesNothingWhenItIsStoppedBeforeItBegan) {
    FakeOperationContext context(&ours());
    context.stop();

    const auto error = error_of([&] { run(rbd::create_operation, create_arguments("c-stopped"), context); });

    EXPECT_EQ(error.kind(), ErrorKind::cancelled);
    expect_nothing_left("c-stopped");
}

TEST_F(Create, SaysWhichCapsAreMissing) {
    test_cluster().run("ceph auth get-or-create client.reader mon 'profile rbd' osd 'profile rbd-read-only' -o " +
                       (test_cluster().directory() / "reader").string());
    ceph::ClusterOptions options;
    options.conf = test_cluster().conf();
    options.name = "client.reader";
    options.keyring = test_cluster().directory() / "reader";
    const auto reader = ceph::Cluster::connect(options);
    FakeOperationContext context(reader.get());

    EXPECT_THAT(error_of([&] { run(rbd::create_operation, create_arguments("c-caps"), context); }),
                IsError(EPERM, "osd 'profile rbd'"));
}

}  // namespace
}  // namespace taskd::test
