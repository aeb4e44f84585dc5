#include "cluster/rbd/image_change_fixture.hpp"

#include <cerrno>

namespace taskd::test {
namespace {

using nlohmann::json;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

/// `rbd/edit` and `rbd/resize`.
class EditTest : public ImageChangeTest {
  protected:
    static json edit(const std::string& name, const json& more, int attempt = 1) {
        return do_it(rbd::edit_operation, image(name, more), attempt);
    }
    static Error edit_failure(const std::string& name, const json& more, int attempt = 1) {
        return failure(rbd::edit_operation, image(name, more), attempt);
    }
};

TEST_F(EditTest, ChangesNameSizeFeaturesAndConfigurationAtOnce) {
    const auto id = other_.make("e-all", 8 * mib, usual_features);

    edit("e-all", {{"name", "e-all-2"},
                   {"size", 16 * mib},
                   {"features", {"layering", "exclusive-lock"}},
                   {"configuration", {{"rbd_qos_iops_limit", 100}}}});

    EXPECT_FALSE(other_.exists("e-all"));
    EXPECT_EQ(other_.id_of("e-all-2"), id);
    EXPECT_EQ(size_of("e-all-2"), 16 * mib);
    EXPECT_EQ(features_of("e-all-2"), RBD_FEATURE_LAYERING | RBD_FEATURE_EXCLUSIVE_LOCK);
    EXPECT_THAT(other_.metadata("e-all-2"), Contains(Pair("conf_rbd_qos_iops_limit", "100")));
}

TEST_F(EditTest, OfNothingSucceeds) {
    other_.make("e-nothing", 8 * mib, usual_features);

    edit("e-nothing", json::object());
    edit("e-nothing", {{"name", "e-nothing"},
                       {"schedule_interval", nullptr},
                       {"size", 8 * mib},
                       {"features", {"layering", "exclusive-lock", "object-map", "fast-diff"}},
                       {"enable_mirror", false},
                       {"configuration", json::object()}});

    EXPECT_EQ(features_of("e-nothing"), usual_features);
}

TEST_F(EditTest, SwitchesDependentFeaturesInASafeOrder) {
    other_.make("e-features", 8 * mib, RBD_FEATURE_LAYERING | RBD_FEATURE_DEEP_FLATTEN);

    edit("e-features", {{"features", {"fast-diff", "journaling", "object-map", "exclusive-lock", "layering"}}});
    EXPECT_EQ(features_of("e-features"), usual_features | RBD_FEATURE_JOURNALING);
    edit("e-features", {{"features", {"layering", "journaling", "exclusive-lock"}}});
    EXPECT_EQ(features_of("e-features"), RBD_FEATURE_LAYERING | RBD_FEATURE_JOURNALING | RBD_FEATURE_EXCLUSIVE_LOCK);
    edit("e-features", {{"features", json::array()}});
    EXPECT_EQ(features_of("e-features"), RBD_FEATURE_LAYERING);
}

TEST_F(EditTest, RefusesFeaturesThatLackWhatTheyNeed) {
    other_.make("e-lack", 8 * mib, usual_features);

    EXPECT_STREQ(edit_failure("e-lack", {{"features", {"object-map"}}}).what(),
                 "[errno 22] RBD invalid argument (error updating features for image b'e-lack'): object-map needs "
                 "exclusive-lock");
    EXPECT_EQ(features_of("e-lack"), usual_features);
}

TEST_F(EditTest, SwitchesSingleFeaturesWithThoseTheyGoWith) {
    other_.make("e-single", 8 * mib, RBD_FEATURE_LAYERING | RBD_FEATURE_EXCLUSIVE_LOCK);

    edit("e-single", {{"enable_features", {"object-map"}}});
    EXPECT_EQ(features_of("e-single"), usual_features);
    EXPECT_THAT(edit_failure("e-single", {{"disable_features", {"exclusive-lock"}}}),
                IsError(EINVAL, "object-map needs exclusive-lock"));
    edit("e-single", {{"enable_features", {"journaling"}}, {"disable_features", {"object-map"}}});
    EXPECT_EQ(features_of("e-single"), RBD_FEATURE_LAYERING | RBD_FEATURE_EXCLUSIVE_LOCK | RBD_FEATURE_JOURNALING);
}

TEST_F(EditTest, ChangesNothingWhenAnyOfItIsKnownToFail) {
    other_.make("e-taken");
    other_.make("e-check", 8 * mib, usual_features);
    const json good = {{"name", "e-check-2"}, {"features", {"layering"}}, {"size", 16 * mib}};

    for (const json& bad : {json{{"name", "e-taken"}}, json{{"configuration", {{"bogus", 1}}}},
                            json{{"configuration", {{"rbd_qos_iops_limit", "many"}}}}, json{{"size", mib}},
                            json{{"enable_mirror", true}, {"mirror_mode", "snapshot"}}, json{{"primary", true}},
                            json{{"resync", true}}, json{{"features", {"fast-diff"}}}}) {
        auto wanted = good;
        wanted.update(bad);
        edit_failure("e-check", wanted);
        EXPECT_EQ(features_of("e-check"), usual_features) << bad;
        EXPECT_EQ(size_of("e-check"), 8 * mib) << bad;
        EXPECT_TRUE(other_.metadata("e-check").empty()) << bad;
    }
}

TEST_F(EditTest, TakesBackWhatItDidWhenALaterPartFails) {
    other_.make("e-back", 8 * mib, usual_features);
    rbd_metadata_set(other_.open("e-back").get(), "conf_rbd_qos_bps_limit", "1000");
    FakeOperationContext context(&ours());
    context.on_step = [&](std::string_view step) {
        if (step == "rename") other_.make("e-back-2");
    };

    const auto error = error_of([&] {
        run(rbd::edit_operation,
            image("e-back", {{"name", "e-back-2"},
                             {"features", {"layering"}},
                             {"configuration", {{"rbd_qos_iops_limit", 5}, {"rbd_qos_bps_limit", nullptr}}}}),
            context);
    });

    EXPECT_STREQ(error.what(), "[errno 17] RBD image already exists (error renaming image)");
    EXPECT_EQ(features_of("e-back"), usual_features);
    EXPECT_THAT(other_.metadata("e-back"), Not(Contains(Pair("conf_rbd_qos_iops_limit", "5"))));
    EXPECT_THAT(other_.metadata("e-back"), Contains(Pair("conf_rbd_qos_bps_limit", "1000")));
}

TEST_F(EditTest, FailsAsTheDashboardDoes) {
    other_.make("e-fail");
    other_.make("e-full");

    EXPECT_STREQ(edit_failure("e-none", {{"name", "x"}}).what(),
                 "[errno 2] RBD image not found (error opening image b'e-none' at snapshot None)");
    EXPECT_STREQ(edit_failure("e-fail", {{"name", "e-full"}}).what(),
                 "[errno 17] RBD image already exists (error renaming image)");
    EXPECT_EQ(failure(rbd::edit_operation, {{"image_spec", "nopool/x"}, {"name", "y"}}).component(), "pool");
    EXPECT_THAT(edit_failure("e-fail", {{"primary", true}}),
                IsError(ENOENT, "error promoting image b'e-fail' to primary"));
    EXPECT_THAT(edit_failure("e-fail", {{"resync", true}}), IsError(ENOENT, "error to resync image b'e-fail'"));
    EXPECT_THAT(edit_failure("e-fail", {{"enable_mirror", true}, {"mirror_mode", "snapshot"}}),
                IsError(EINVAL, "error enabling mirroring for image b'e-fail'"));
    EXPECT_THAT(edit_failure("e-fail", {{"enable_mirror", true}}), IsError(EINVAL, "mirror_mode: is required"));
    edit("e-fail", {{"primary", false}, {"remove_scheduling", true}, {"enable_mirror", false}});
}

TEST_F(EditTest, EnablesAndDisablesMirroring) {
    test_cluster().run("ceph osd pool create e-mir 8 && rbd pool init e-mir && rbd mirror pool enable e-mir image");
    OtherClient there(theirs(), "e-mir");
    there.make("x", 8 * mib, usual_features);
    const auto is_mirrored = [&] {
        rbd_mirror_image_info_t info{};
        if (rbd_mirror_image_get_info(there.open_read_only("x").get(), &info, sizeof info) < 0) return false;
        rbd_mirror_image_get_info_cleanup(&info);
        return info.state == RBD_MIRROR_IMAGE_ENABLED;
    };

    do_it(rbd::edit_operation, {{"image_spec", "e-mir/x"}, {"enable_mirror", true}, {"mirror_mode", "snapshot"}});
    EXPECT_TRUE(is_mirrored());
    do_it(rbd::edit_operation, {{"image_spec", "e-mir/x"}, {"primary", false}});
    EXPECT_THAT(failure(rbd::edit_operation, {{"image_spec", "e-mir/x"}, {"size", 16 * mib}}),
                IsError(EROFS, "primary"));
    do_it(rbd::edit_operation, {{"image_spec", "e-mir/x"}, {"primary", true}});
    do_it(rbd::edit_operation, {{"image_spec", "e-mir/x"}, {"enable_mirror", false}});
    EXPECT_FALSE(is_mirrored());
}

TEST_F(EditTest, InterruptedAtAnyStepIsMadeGoodByTheNextAttempt) {
    interrupt_at_each_step(
        rbd::edit_operation,
        [&](std::size_t step) {
            const auto name = "e-int-" + std::to_string(step);
            const auto id = other_.make(name, 8 * mib, usual_features);
            return image(name, {{"image_id", id},
                                {"name", name + "-new"},
                                {"size", 4 * mib},
                                {"allow_shrink", true},
                                {"features", {"layering"}},
                                {"configuration", {{"rbd_qos_iops_limit", 5}}}});
        },
        [&](std::size_t step) {
            const auto name = "e-int-" + std::to_string(step) + "-new";
            EXPECT_EQ(size_of(name), 4 * mib) << step;
            EXPECT_EQ(features_of(name), RBD_FEATURE_LAYERING) << step;
            EXPECT_THAT(other_.metadata(name), Contains(Pair("conf_rbd_qos_iops_limit", "5"))) << step;
        });
}

TEST_F(EditTest, HitsOnlyTheImageOfItsId) {
    const auto id = other_.make("e-id");
    other_.rename("e-id", "e-id-moved");
    other_.make("e-id");

    EXPECT_EQ(edit_failure("e-id", {{"image_id", id}, {"size", 64 * mib}}).errno_value(), ENOENT);
    EXPECT_EQ(size_of("e-id"), 4 * mib);
}

TEST_F(EditTest, ReachesNamesThatOthersMade) {
    for (const std::string name : {"e with space", "e-\xc3\xbc\xf0\x9f\x98\x80", "-e", "e@x"}) {
        other_.make(name);

        edit(name, {{"size", 16 * mib}, {"name", name}});

        EXPECT_EQ(size_of(name), 16 * mib) << name;
    }
}

TEST_F(EditTest, ReachesANameThatIsNotUtf8ByItsId) {
    const auto id = other_.make("e-\xff\xfe");

    edit("e-\xef\xbf\xbd\xef\xbf\xbd", {{"image_id", id}, {"name", "e-utf8"}});

    EXPECT_EQ(other_.id_of("e-utf8"), id);
}

TEST_F(EditTest, ReachesANameThatNoSpecCanHoldByItsIdAlone) {
    const auto id = other_.make("e/slash");

    edit(id, {{"image_id", id}, {"size", 16 * mib}});
    EXPECT_EQ(size_of("e/slash"), 16 * mib);
    edit(id, {{"image_id", id}, {"name", "e-slash"}});

    EXPECT_EQ(other_.id_of("e-slash"), id);
}

TEST_F(EditTest, ShrinksOnlyWhenThatIsAllowed) {
    other_.make("e-shrink", 1024 * mib);

    const auto error = edit_failure("e-shrink", {{"size", 512 * mib}});
    EXPECT_EQ(error.kind(), ErrorKind::conflict);
    EXPECT_THAT(error.what(), HasSubstr("from 1073741824 to 536870912 bytes"));
    EXPECT_EQ(error.extra(), (json{{"sizes", {{"now", 1024 * mib}, {"asked", 512 * mib}}}}));
    EXPECT_EQ(edit_failure("e-shrink", {{"size", 0}}).kind(), ErrorKind::conflict);
    EXPECT_EQ(size_of("e-shrink"), 1024 * mib);
    edit("e-shrink", {{"size", 512 * mib}, {"allow_shrink", true}});
    EXPECT_EQ(size_of("e-shrink"), 512 * mib);
}

using Resize = EditTest;

TEST_F(Resize, GrowsAndShrinksWhenAllowed) {
    other_.make("r-both", 8 * mib);

    do_it(rbd::resize_operation, image("r-both", {{"size", 64 * mib}}));
    EXPECT_EQ(size_of("r-both"), 64 * mib);
    EXPECT_EQ(failure(rbd::resize_operation, image("r-both", {{"size", 4 * mib}})).kind(), ErrorKind::conflict);
    do_it(rbd::resize_operation, image("r-both", {{"size", 4 * mib}, {"allow_shrink", true}}));
    EXPECT_EQ(size_of("r-both"), 4 * mib);
}

TEST_F(Resize, ThatShrinksReportsRisingProgress) {
    other_.make("r-long", 4096 * mib, usual_features);
    fill("r-long", 4096 * mib);
    FakeOperationContext context(&ours());

    run(rbd::resize_operation, image("r-long", {{"size", 0}, {"allow_shrink", true}}), context);

    expect_rising(context, 10);
}

TEST_F(Resize, ThatIsStoppedCanBeFinished) {
    other_.make("r-stop", 1024 * mib);
    fill("r-stop", 1024 * mib);
    const auto arguments = image("r-stop", {{"size", 4 * mib}, {"allow_shrink", true}});
    FakeOperationContext context(&ours());
    context.stop_after_reports = 10;

    EXPECT_THAT(error_of([&] { run(rbd::resize_operation, arguments, context); }),
                IsError(ECANCELED, "shrink it again to finish"));
    EXPECT_EQ(size_of("r-stop"), 1024 * mib);

    do_it(rbd::resize_operation, arguments, 2);
    EXPECT_EQ(size_of("r-stop"), 4 * mib);
}

TEST_F(Resize, RefusesMoreObjectsThanAMapHolds) {
    other_.make("r-many", 8 * mib, usual_features);

    EXPECT_THAT(failure(rbd::resize_operation, image("r-many", {{"size", std::uint64_t{1} << 50}})),
                IsError(EINVAL, "objects of an object map"));
}

}  // namespace
}  // namespace taskd::test
