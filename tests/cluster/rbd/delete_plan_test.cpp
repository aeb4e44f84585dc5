#include "cluster/rbd/snapshot_fixture.hpp"

#include <rbd/features.h>

namespace taskd::test {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// A delete that takes the snapshots and frees the clones first, and the plan that says so.
class DeletePlan : public SnapshotTest {
  protected:
    static json plan(const std::string& name, const json& more = json::object()) {
        return do_it(rbd::delete_plan_operation, image(name, more));
    }
    const json flatten = {{"children", "flatten"}};
};

TEST_F(DeletePlan, TellsTheStepsAndTheSizes) {
    const auto id = other_.make("d-plan", 1 << 26);
    write("d-plan", 'x');
    other_.snapshot("d-plan", "a");
    other_.snapshot("d-plan", "b", true);
    other_.clone("d-plan", "b", "d-plan-child");

    const auto result = plan("d-plan", flatten);

    EXPECT_EQ(result["possible"], true);
    EXPECT_EQ(result["id"], id);
    EXPECT_EQ(result["steps"],
              (json{"flatten rbd/d-plan-child", "remove snapshot a", "remove snapshot b", "remove rbd/d-plan"}));
    EXPECT_EQ(result["flatten"][0]["image_spec"], "rbd/d-plan-child");
    EXPECT_EQ(result["size"], 1 << 26);
    EXPECT_EQ(result["num_objs"], 16);
    EXPECT_EQ(result["disk_usage"], 1 << 22);
    EXPECT_EQ(result["estimated_seconds"], 1);
    EXPECT_EQ(result["moves_to_trash"], false);
    EXPECT_THAT(other_.snapshots("d-plan"), ElementsAre("a", "b"));
    EXPECT_TRUE(has_parent("d-plan-child"));
}

TEST_F(DeletePlan, TellsWhatIsInTheWay) {
    other_.make("d-way");
    other_.snapshot("d-way", "s", true);
    other_.clone("d-way", "s", "d-way-child");
    const auto held = other_.open("d-way");

    const auto result = plan("d-way");

    EXPECT_EQ(result["possible"], false);
    EXPECT_EQ(result["steps"], json::array());
    EXPECT_EQ(result["blockers"]["watchers"][0]["client"], theirs().instance_id());
    EXPECT_EQ(result["blockers"]["children"][0]["image_spec"], "rbd/d-way-child");
    EXPECT_EQ(result["refusal"], error_of([] { remove("d-way"); }).what());
}

TEST_F(DeletePlan, OfAnImageWithoutFastDiffLooksAtNoObject) {
    other_.make("d-huge", 1ULL << 43, RBD_FEATURE_LAYERING);

    const auto result = plan("d-huge");

    EXPECT_EQ(result["disk_usage"], nullptr);
    EXPECT_EQ(result["estimated_seconds"], 2098);
}

TEST_F(DeletePlan, OfAHalfRemovedImageFinishesIt) {
    other_.make("d-half", 1ULL << 34, RBD_FEATURE_LAYERING);
    other_.remove_half("d-half");

    EXPECT_EQ(plan("d-half")["steps"], (json{"finish the removal of rbd/d-half"}));
}

TEST_F(DeletePlan, OfNoImageIsNotFound) {
    EXPECT_EQ(failure(rbd::delete_plan_operation, image("d-none")).kind(), ErrorKind::not_found);
}

TEST_F(DeletePlan, WhereDeletedImagesAreKeptMovesIt) {
    make_pool_that_keeps_images("d-keep");
    OtherClient there(theirs(), "d-keep");
    const auto id = there.make("img");
    there.snapshot("img", "s", true);
    there.clone("img", "s", "child");
    const json given = {{"image_spec", "d-keep/img"}, {"children", "flatten"}};

    const auto result = do_it(rbd::delete_plan_operation, given);
    EXPECT_EQ(result["steps"], (json{"move d-keep/img to the trash"}));
    EXPECT_EQ(result["moves_to_trash"], true);
    EXPECT_EQ(result["estimated_seconds"], 0);

    do_it(rbd::delete_operation, given);
    rbd_trash_image_info_t info{};
    EXPECT_EQ(rbd_trash_get(there.pool(), id.c_str(), &info), 0);
    rbd_trash_get_cleanup(&info);
    EXPECT_FALSE(there.exists("img"));
}

TEST_F(DeletePlan, IsDone) {
    const auto id = other_.make("d-done");
    write("d-done", 'x');
    for (const auto* name : {"a", "b"}) other_.snapshot("d-done", name, true);
    other_.clone("d-done", "a", "d-child-1");
    other_.clone("d-done", "b", "d-child-2");
    other_.snapshot("d-child-2", "own");
    FakeOperationContext context(&ours());

    run(rbd::delete_operation, image("d-done", flatten), context);

    EXPECT_THAT(other_.objects_with(id), IsEmpty());
    for (const auto* child : {"d-child-1", "d-child-2"}) {
        EXPECT_FALSE(has_parent(child));
        EXPECT_EQ(first_byte(child), 'x');
    }
    expect_rising(context, 3);
}

TEST_F(DeletePlan, IsNotBegunWhenOneCloneCannotBeFreed) {
    other_.make("d-stuck");
    other_.snapshot("d-stuck", "s", true);
    other_.clone("d-stuck", "s", "d-free");
    test_cluster().run("rbd clone rbd/d-stuck@s rbd/d-shallow --image-feature layering");
    other_.snapshot("d-shallow", "own");

    const auto error = error_of([&] { remove("d-stuck", flatten); });

    EXPECT_THAT(error, IsError(EBUSY, "it has clones: rbd/d-shallow (of snapshot 's', has snapshots"));
    EXPECT_TRUE(has_parent("d-free"));
    EXPECT_THAT(other_.snapshots("d-stuck"), ElementsAre("s"));
}

TEST_F(DeletePlan, StoppedBetweenItsStepsLeavesAWholeImage) {
    other_.make("d-stop");
    write("d-stop", 'x');
    other_.snapshot("d-stop", "s", true);
    for (const auto* child : {"d-stop-1", "d-stop-2"}) other_.clone("d-stop", "s", child);
    FakeOperationContext context(&ours());
    context.on_step = [&](std::string_view step) {
        if (step == "flatten clone rbd/d-stop-2") context.stop();
    };

    const auto error = error_of([&] { run(rbd::delete_operation, image("d-stop", flatten), context); });

    EXPECT_EQ(error.kind(), ErrorKind::cancelled);
    EXPECT_THAT(other_.snapshots("d-stop"), ElementsAre("s"));
    EXPECT_TRUE(has_parent("d-stop-2"));
}

TEST_F(DeletePlan, InterruptedAtAnyStepIsDoneByTheNextAttempt) {
    std::string id;
    interrupt_at_each_step(
        rbd::delete_operation,
        [&](std::size_t step) {
            const auto name = "d-int-" + std::to_string(step);
            id = other_.make(name);
            other_.snapshot(name, "s", true);
            other_.clone(name, "s", name + "-child");
            return image(name, {{"children", "flatten"}, {"image_id", id}});
        },
        [&](std::size_t) { EXPECT_THAT(other_.objects_with(id), IsEmpty()); });
}

}  // namespace
}  // namespace taskd::test
