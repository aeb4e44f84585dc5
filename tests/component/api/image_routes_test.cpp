#include "api_server.hpp"

#include <future>

namespace taskd::api {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

class ImageRoutesTest : public ApiTest {
  protected:
    static constexpr const char* images = "/api/block/image";
    const json image{{"pool_name", "rbd"}, {"name", "x"}, {"size", 4096}};
    const json metadata{{"pool_name", "rbd"}, {"namespace", nullptr}, {"image_name", "x"}};
};

TEST_F(ImageRoutesTest, CreateIs201WithNull) {
    workers_succeed();

    const auto answer = post(images, image);

    EXPECT_EQ(answer.status, 201);
    EXPECT_EQ(answer.body, nullptr);
    EXPECT_EQ(answer.content_type, media_type);
    EXPECT_EQ(tasks.find_by_id(answer.task_id)->name(), "rbd/create");
    EXPECT_EQ(tasks.find_by_id(answer.task_id)->metadata(), metadata);
}

TEST_F(ImageRoutesTest, CreateThatTakesLongIs202WithNameAndMetadata) {
    const auto answer = post_async(images, image);

    EXPECT_EQ(answer.status, 202);
    EXPECT_EQ(answer.body, json({{"name", "rbd/create"}, {"metadata", metadata}}));
    EXPECT_EQ(answer.content_type, media_type);
    EXPECT_FALSE(tasks.find_by_id(answer.task_id)->is_finished());
}

TEST_F(ImageRoutesTest, TheTaskOfA202IsInTheNextSummary) {
    post_async(images, image);

    const auto executing = get("/api/summary").body["executing_tasks"];

    ASSERT_EQ(executing.size(), 1U);
    EXPECT_EQ(executing[0]["metadata"], metadata);
}

TEST_F(ImageRoutesTest, AFailureInTimeIsItsStatusAndWhatIsListed) {
    workers_fail(
        Error(ErrorKind::refused, EEXIST, "rbd", "[errno 17] RBD image already exists (error creating image)"));

    const auto answer = post(images, image);

    EXPECT_EQ(answer.status, 400);
    EXPECT_EQ(answer.body, json({{"detail", "[errno 17] RBD image already exists (error creating image)"},
                                 {"code", "17"},
                                 {"component", "rbd"},
                                 {"status", 400},
                                 {"task", {{"name", "rbd/create"}, {"metadata", metadata}}}}));
    EXPECT_EQ(answer.content_type, media_type);
    EXPECT_EQ(get("/api/task").body["finished_tasks"][0]["exception"], answer.body);
}

TEST_F(ImageRoutesTest, MistakesNameTheirFieldAndMakeNoTask) {
    const auto missing = post(images, {{"pool_name", "rbd"}, {"size", 4096}});
    const auto unknown = post(images, {{"pool_name", "rbd"}, {"name", "x"}, {"size", 4096}, {"nonsense", 1}});
    const auto wrong = post(images, {{"pool_name", "rbd"}, {"name", {{"a", 1}}}, {"size", 4096}});

    for (const auto& [answer, field] : {std::pair{missing, "name"}, {unknown, "nonsense"}, {wrong, "name"}}) {
        EXPECT_EQ(answer.status, 400);
        EXPECT_THAT(answer.body["detail"].get<std::string>(), HasSubstr(field));
    }
    EXPECT_EQ(get("/api/task").body, json({{"executing_tasks", json::array()}, {"finished_tasks", json::array()}}));
}

TEST_F(ImageRoutesTest, AnEqualRequestJoinsAndAnotherOneIsAConflict) {
    const auto first = post_async(images, image);
    const auto same = post_async(images, image);
    json larger = image;
    larger["size"] = 8192;
    const auto other = post_async(images, larger);

    EXPECT_EQ(same.status, 202);
    EXPECT_EQ(same.task_id, first.task_id);
    EXPECT_EQ(other.status, 409);
    EXPECT_EQ(other.body["task_id"], first.task_id);
    EXPECT_EQ(crew.wait_for_orders(1).size(), 1U);
}

TEST_F(ImageRoutesTest, ManyEqualRequestsAtOnceAreOneTaskWithEqualAnswers) {
    std::vector<std::future<Answer>> answers;
    for (int n = 0; n < 16; ++n)
        answers.push_back(std::async(std::launch::async, [this] { return post_async(images, image); }));

    std::set<std::string> ids;
    for (auto& future : answers) {
        const auto answer = future.get();
        EXPECT_EQ(answer.status, 202);
        EXPECT_EQ(answer.body, json({{"name", "rbd/create"}, {"metadata", metadata}}));
        ids.insert(answer.task_id);
    }
    EXPECT_EQ(ids.size(), 1U);
    EXPECT_EQ(crew.wait_for_orders(1).size(), 1U);
}

TEST_F(ImageRoutesTest, AFullQueueIs503WithRetryAfter) {
    // More than run at a time and may wait.
    for (int n = 0; n < 30; ++n) {
        json other = image;
        other["name"] = "image " + std::to_string(n);
        const auto answer = post_async(images, other);
        if (answer.status == 202) continue;
        EXPECT_EQ(answer.status, 503);
        EXPECT_TRUE(answer.retry_after);
        EXPECT_EQ(answer.body["component"], "taskd");
        return;
    }
    FAIL() << "never full";
}

TEST_F(ImageRoutesTest, DeleteIs204WithoutABody) {
    workers_succeed();

    const auto answer = request("DELETE", "/api/block/image/rbd%2Fx");

    EXPECT_EQ(answer.status, 204);
    EXPECT_EQ(answer.body, nullptr);
    EXPECT_EQ(tasks.find_by_id(answer.task_id)->metadata(), json({{"image_spec", "rbd/x"}}));
}

TEST_F(ImageRoutesTest, DeleteTakesASpecThatIsEncodedTwice) {
    workers_succeed();

    request("DELETE", "/api/block/image/rbd%252Fns%252Fx");

    EXPECT_EQ(crew.wait_for_orders(1)[0].order.arguments["image_spec"], "rbd/ns/x");
}

TEST_F(ImageRoutesTest, DeleteOfAMissingImageIs404InTheDashboardsWords) {
    workers_fail(Error(ErrorKind::not_found, ENOENT, "rbd", "[errno 2] RBD image not found"));

    const auto answer = request("DELETE", "/api/block/image/rbd%2Fx");

    EXPECT_EQ(answer.status, 404);
    EXPECT_EQ(answer.body, json({{"detail", "(404, 'Image not found')"},
                                 {"code", 404},
                                 {"component", nullptr},
                                 {"status", 404},
                                 {"task", {{"name", "rbd/delete"}, {"metadata", {{"image_spec", "rbd/x"}}}}}}));
}

TEST_F(ImageRoutesTest, DeleteRefusesAnUnknownParameterAndASpecWithoutPool) {
    EXPECT_EQ(request("DELETE", "/api/block/image/rbd%2Fx?nonsense=1").status, 400);
    EXPECT_EQ(request("DELETE", "/api/block/image/x").status, 400);
}

TEST_F(ImageRoutesTest, ASpecThatIsNotEncodedIsAnotherPath) {
    EXPECT_EQ(request("DELETE", "/api/block/image/rbd/x").status, 404);
}

TEST_F(ImageRoutesTest, PriorityAndDeadlineAreNoArgumentsOfTheOperation) {
    workers_succeed();

    EXPECT_EQ(post("/api/block/image?priority=high&deadline=60", image).status, 201);

    EXPECT_FALSE(crew.orders()[0].order.arguments.contains("priority"));
    EXPECT_FALSE(crew.orders()[0].order.arguments.contains("deadline"));
    for (const auto* query : {"priority=urgent", "deadline=0", "deadline=soon", "deadline=-5"})
        EXPECT_EQ(post(std::string("/api/block/image?") + query, image).status, 400) << query;
}

}  // namespace
}  // namespace taskd::api
