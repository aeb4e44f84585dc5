#include "cli/list_follower.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace taskd::cli {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::IsEmpty;

json running(const std::string& id, int percent) {
    return {{"id", id},
            {"state", "running"},
            {"name", "rbd/delete"},
            {"metadata", {{"image_spec", "rbd/" + id}}},
            {"progress", percent},
            {"duration", 2}};
}

json listing(const json& executing, const json& finished = json::array()) {
    return {{"executing_tasks", executing}, {"finished_tasks", finished}};
}

TEST(ListFollower, SpeaksOfATaskWhenItIsNewAndEveryFivePercent) {
    ListFollower follower;
    EXPECT_THAT(follower.take(listing(json::array({running("a", 0)}))).progress,
                ElementsAre("rbd/delete rbd/a: 0%, running, 2.0 s"));
    EXPECT_THAT(follower.take(listing(json::array({running("a", 3)}))).progress, IsEmpty());
    EXPECT_THAT(follower.take(listing(json::array({running("a", 5)}))).progress,
                ElementsAre("rbd/delete rbd/a: 5%, running, 2.0 s"));
}

TEST(ListFollower, SpeaksOfAChangeOfState) {
    ListFollower follower;
    follower.take(listing(json::array({running("a", 0)})));
    json stalled = running("a", 0);
    stalled["stalled_since"] = "2026-11-25T01:31:34Z";
    EXPECT_THAT(follower.take(listing(json::array({stalled}))).progress,
                ElementsAre("rbd/delete rbd/a: 0%, stalled, 2.0 s"));
}

TEST(ListFollower, TellsHowATaskEnded) {
    ListFollower follower;
    follower.take(listing({running("a", 0), running("b", 0), running("c", 0)}));
    json done = running("a", 100), failed = running("b", 50);
    done.update({{"state", "finished"}, {"success", true}});
    failed.update({{"state", "finished"}, {"success", false}, {"exception", {{"detail", "busy"}}}});
    const auto news = follower.take(listing(json::array(), {done, failed}));
    EXPECT_THAT(news.ended,
                ElementsAre("rbd/delete rbd/a: done after 2.0 s", "rbd/delete rbd/b: failed after 2.0 s: busy",
                            "rbd/delete rbd/c: ended, and is not listed any more"));
    EXPECT_FALSE(news.executing);
}

TEST(ListFollower, DoesNotSpeakOfWhatHadFinishedBefore) {
    ListFollower follower;
    json done = running("a", 100);
    done.update({{"state", "finished"}, {"success", true}});
    EXPECT_THAT(follower.take(listing(json::array(), json::array({done}))).ended, IsEmpty());
}

TEST(ListFollower, WorksWithoutIds) {
    ListFollower follower;
    json task = running("a", 0);
    task.erase("id");
    task["begin_time"] = "2026-11-25T01:31:34Z";
    const auto news = follower.take(listing(json::array({task})));
    EXPECT_TRUE(news.executing);
    EXPECT_EQ(news.first_executing, "");
    EXPECT_THAT(follower.take(listing(json::array({task}))).progress, IsEmpty());
}

}  // namespace
}  // namespace taskd::cli
