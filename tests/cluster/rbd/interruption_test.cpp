#include "cluster/rbd/operation_test.hpp"

#include <cerrno>

#include <rbd/features.h>

namespace taskd::test {
namespace {

using nlohmann::json;
using ::testing::IsEmpty;

/// A process dies within an operation; the next attempt, in another, must end as the first would have.
class Interruption : public OperationTest {
  protected:
    /// Runs it to the step with this number and no further. @returns whether it got there.
    static bool run_until(std::size_t number, const rbd::Operation& operation, const json& arguments) {
        FakeOperationContext context(&ours());
        context.on_step = [&](std::string_view step) {
            if (context.steps().size() == number) throw Interrupted{std::string(step)};
        };
        try {
            run(operation, arguments, context);
        } catch (const Interrupted&) {
            return true;
        }
        return false;
    }
};

TEST_F(Interruption, OfACreateAtAnyStepIsMadeGoodByTheNextAttempt) {
    test_cluster().run("ceph osd pool create i-mir 8 && rbd pool init i-mir && rbd mirror pool enable i-mir image");
    const OtherClient there(theirs(), "i-mir");
    bool interrupted = true;
    for (std::size_t step = 1; interrupted; ++step) {
        const auto name = "i" + std::to_string(step);
        const auto arguments = create_arguments(name, {{"pool_name", "i-mir"},
                                                       {"features", {"layering", "exclusive-lock"}},
                                                       {"obj_size", 1 << 20},
                                                       {"configuration", {{"rbd_qos_iops_limit", 100}}},
                                                       {"mirror_mode", "snapshot"}});
        interrupted = run_until(step, rbd::create_operation, arguments);

        FakeOperationContext again(&ours(), 2);
        EXPECT_NO_THROW(run(rbd::create_operation, arguments, again)) << "after step " << step;

        EXPECT_EQ(there.metadata(name).at("conf_rbd_qos_iops_limit"), "100");
        rbd_mirror_image_mode_t mode{};
        EXPECT_EQ(rbd_mirror_image_get_mode(there.open_read_only(name).get(), &mode), 0);
        ASSERT_LT(step, 20u);
    }
}

TEST_F(Interruption, OfADeleteAtAnyStepIsMadeGoodByTheNextAttempt) {
    bool interrupted = true;
    for (std::size_t step = 1; interrupted; ++step) {
        const auto name = "i-delete-" + std::to_string(step);
        const auto id = other_.make(name);
        other_.snapshot(name, "a");
        other_.snapshot(name, "b", true);
        const auto arguments = delete_arguments(name, {{"image_id", id}});
        interrupted = run_until(step, rbd::delete_operation, arguments);

        FakeOperationContext again(&ours(), 2);
        EXPECT_NO_THROW(run(rbd::delete_operation, arguments, again)) << "after step " << step;

        EXPECT_THAT(other_.objects_with(id), IsEmpty());
        ASSERT_LT(step, 20u);
    }
}

TEST_F(Interruption, OfADeleteWithinLibrbdIsMadeGood) {
    const auto id = other_.make("i-half", 1ull << 34, RBD_FEATURE_LAYERING);
    other_.remove_half("i-half");

    remove("i-half", {{"image_id", id}}, 2);

    EXPECT_THAT(other_.objects_with(id), IsEmpty());
}

TEST_F(Interruption, AfterTheDeleteWasDoneCountsAsDone) {
    EXPECT_NO_THROW(remove("i-gone", json::object(), 2));
    EXPECT_NO_THROW(remove("i-gone", {{"image_id", "101158d673b0"}}, 2));
    EXPECT_NO_THROW(remove("", {{"image_spec", "nopool/i-gone"}}, 2));
}

TEST_F(Interruption, OfADeleteDoesNotTakeARenamedImageForGone) {
    const auto id = other_.make("i-before");
    other_.rename("i-before", "i-after");

    EXPECT_THAT(error_of([&] { remove("i-before", {{"image_id", id}}, 2); }), IsError(ENOENT, "named 'i-after'"));
}

TEST_F(Interruption, OfADeleteWaitsForTheWatchOfTheDeadProcess) {
    const auto id = other_.make("i-watched");
    auto dead = other_.open("i-watched");
    FakeOperationContext context(&ours(), 2);
    int pauses = 0;
    context.on_pause = [&] {
        if (++pauses == 3) dead.reset();
    };

    run(rbd::delete_operation, delete_arguments("i-watched"), context);

    EXPECT_EQ(pauses, 3);
    EXPECT_THAT(other_.objects_with(id), IsEmpty());
}

TEST_F(Interruption, WaitingForAWatchEndsWhenItIsStopped) {
    other_.make("i-waiting");
    const auto held = other_.open("i-waiting");
    FakeOperationContext context(&ours(), 2);
    context.on_pause = [&] { context.stop(); };

    EXPECT_THAT(error_of([&] { run(rbd::delete_operation, delete_arguments("i-waiting"), context); }),
                IsError(ECANCELED, "nothing was removed by this attempt; an earlier one"));
}

TEST_F(Interruption, OfADeleteIsNotForgottenWhenTheNextAttemptIsStopped) {
    const auto id = other_.make("i-stopped", 1ull << 34, RBD_FEATURE_LAYERING);
    other_.remove_half("i-stopped");
    FakeOperationContext context(&ours(), 2);
    context.stop();

    EXPECT_THAT(error_of([&] {
                    run(rbd::delete_operation, delete_arguments("i-stopped", {{"image_id", id}}), context);
                }),
                IsError(ECANCELED, "the image is half removed; delete it again to finish"));
}

TEST_F(Interruption, OfADeleteIsToldByANextAttemptThatIsRefused) {
    other_.make("i-refused");
    other_.snapshot("i-refused", "a");
    other_.snapshot("i-refused", "b", true);
    FakeOperationContext first(&ours());
    first.on_step = [](std::string_view step) {
        if (step == "remove snapshot b") throw Interrupted{std::string(step)};
    };
    EXPECT_THROW(run(rbd::delete_operation, delete_arguments("i-refused"), first), Interrupted);
    other_.clone("i-refused", "b", "i-refused-child");

    EXPECT_THAT(error_of([] { remove("i-refused", json::object(), 2); }), IsError(EBUSY, "may have removed snapshots"));
    EXPECT_THAT(other_.snapshots("i-refused"), ::testing::ElementsAre("b"));
}

TEST_F(Interruption, OfADeleteIsNotCountedTwice) {
    other_.make("i-counted");
    for (const auto* name : {"b", "c"}) other_.snapshot("i-counted", name);  // a went with the attempt before
    FakeOperationContext context(&ours(), 2);
    context.on_step = [&](std::string_view step) {
        if (step == "remove snapshot c") context.stop();
    };

    EXPECT_THAT(error_of([&] { run(rbd::delete_operation, delete_arguments("i-counted"), context); }),
                IsError(ECANCELED, "1 of its 2 remaining snapshots were removed; the image is whole"));
}

TEST_F(Interruption, WithinAMoveToTheTrashIsMadeGood) {
    const auto id = other_.make("i-moving");
    other_.move_to_trash("i-moving");
    other_.set_trash_state(id, rbd::TrashState::moving);
    ASSERT_EQ(rbd_trash_restore(other_.pool(), id.c_str(), "i-moving"), -EBUSY);
    FakeOperationContext again(&ours(), 2);

    run(rbd::trash_move_operation, {{"image_spec", "rbd/i-moving"}, {"image_id", id}}, again);

    EXPECT_EQ(rbd_trash_restore(other_.pool(), id.c_str(), "i-moving"), 0);
    EXPECT_EQ(other_.id_of("i-moving"), id);
}

TEST_F(Interruption, AfterAMoveToTheTrashTakesNoOtherImageOfTheName) {
    const auto id = other_.make("i-moved");
    other_.move_to_trash("i-moved");
    const auto other = other_.make("i-moved");
    FakeOperationContext again(&ours(), 2);

    run(rbd::trash_move_operation, {{"image_spec", "rbd/i-moved"}, {"image_id", id}}, again);

    EXPECT_EQ(other_.id_of("i-moved"), other);
}

TEST_F(Interruption, OfACreateTakesAnImageOfTheSameLayoutForItsOwn) {
    create("i-same", {{"size", 12345}, {"features", {"layering"}}});
    EXPECT_NO_THROW(create("i-same", {{"size", 12345}, {"features", {"layering"}}}, 2));
}

TEST_F(Interruption, OfACreateTakesNoOtherImageForItsOwn) {
    test_cluster().run("ceph osd pool create i-data 8");
    create("i-other", {{"size", 12345}, {"features", {"layering"}}});

    for (const json& other :
         {json{{"size", 12346}}, json{{"size", 12345}, {"features", {"exclusive-lock"}}},
          json{{"size", 12345}, {"obj_size", 1 << 20}}, json{{"size", 12345}, {"data_pool", "i-data"}}})
        EXPECT_STREQ(error_of([&] { create("i-other", other, 2); }).what(),
                     "[errno 17] RBD image already exists (error creating image)")
            << other;
}

TEST_F(Interruption, OfACreateMakesAHalfMadeImageAnew) {
    const auto id = other_.make("i-headless", 1 << 22, RBD_FEATURE_LAYERING);
    rados_remove(other_.pool(), ("rbd_header." + id).c_str());

    create("i-headless", {{"size", 4321}}, 2);

    EXPECT_NE(other_.id_of("i-headless"), id);
    EXPECT_THAT(other_.objects_with(id), IsEmpty());
}

TEST_F(Interruption, OfWhatACreateClearedIsMadeGood) {
    const auto id = other_.make("i-cleared", 1ull << 34, RBD_FEATURE_LAYERING);
    other_.remove_half("i-cleared");
    EXPECT_THAT(error_of([] { create("i-cleared"); }), IsError(EEXIST, "has not ended"));

    create("i-cleared", json::object(), 2);

    EXPECT_TRUE(other_.exists("i-cleared"));
    EXPECT_THAT(other_.objects_with(id), IsEmpty());
}

TEST_F(Interruption, OfACreateMakesAnewWhatHasNoMoreThanAnId) {
    const char encoded[] =
        "\x0c\0\0\0"
        "0123456789ab";
    rados_write_full(other_.pool(), "rbd_id.i-idonly", encoded, sizeof encoded - 1);

    create("i-idonly", json::object(), 2);

    EXPECT_TRUE(other_.exists("i-idonly"));
}

TEST_F(Interruption, OfACreateRemovesNothingThatItOnlyFound) {
    test_cluster().run(
        "ceph osd pool create i-found 8 && rbd pool init i-found && rbd mirror pool enable i-found image");
    OtherClient there(theirs(), "i-found");
    there.make("x", 1 << 22);
    FakeOperationContext context(&ours(), 2);
    context.on_step = [&](std::string_view step) {
        if (step == "enable mirroring") rbd_mirror_mode_set(there.pool(), RBD_MIRROR_MODE_DISABLED);
    };
    const auto arguments = create_arguments("x", {{"pool_name", "i-found"}, {"mirror_mode", "snapshot"}});

    EXPECT_THAT(error_of([&] { run(rbd::create_operation, arguments, context); }), IsError(EINVAL, "mirroring"));

    EXPECT_TRUE(there.exists("x"));
}

TEST_F(Interruption, DoesNotHideFromTheFirstAttemptThatTheNameIsTaken) {
    const auto id = other_.make("i-taken", 1 << 22, RBD_FEATURE_LAYERING);
    rados_remove(other_.pool(), ("rbd_header." + id).c_str());

    EXPECT_EQ(error_of([] { create("i-taken"); }).errno_value(), EEXIST);
}

}  // namespace
}  // namespace taskd::test
