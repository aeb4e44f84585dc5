#include "api_server.hpp"

#include <future>

namespace taskd::api {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

class PoolRoutesTest : public ApiTest {
  protected:
    std::vector<CommandPort::Request> sent(std::size_t count) {
        while (commands.requests().size() < count) std::this_thread::yield();
        return commands.requests();
    }
    void answer(std::size_t number, json output = "") {
        commands.answer(test::good_answer(sent(number).back().tag, std::move(output)));
    }
    const json pool{{"pool", "p"}, {"pg_num", 8}, {"pool_type", "replicated"}};
};

TEST_F(PoolRoutesTest, APoolIsMadeAsATask) {
    auto got = std::async(std::launch::async, [this] { return post("/api/pool", pool); });
    answer(1);

    const auto reply = got.get();
    EXPECT_EQ(reply.status, 201);
    EXPECT_EQ(reply.body, nullptr);
    EXPECT_EQ(tasks.find_by_id(reply.task_id)->name(), "pool/create");
    EXPECT_EQ(tasks.find_by_id(reply.task_id)->metadata(), json({{"pool_name", "p"}}));
}

TEST_F(PoolRoutesTest, WhatTheMonitorsRefuseIsThePoolsError) {
    auto got = std::async(std::launch::async, [this] { return post("/api/pool", pool); });
    json refusal = test::good_answer(sent(1).back().tag);
    refusal["return_code"] = -34;
    refusal["status"] = "pg_num is too large";
    commands.answer(std::move(refusal));

    const auto reply = got.get();
    EXPECT_EQ(reply.status, 400);
    EXPECT_EQ(reply.body["code"], "34");
    EXPECT_EQ(reply.body["component"], "pool");
    EXPECT_THAT(reply.body["detail"], HasSubstr("pg_num is too large"));
}

TEST_F(PoolRoutesTest, OtherArgumentsWhileItIsMadeAreAConflict) {
    post_async("/api/pool", pool);
    sent(1);
    auto other = pool;
    other["pg_num"] = 16;

    EXPECT_EQ(post("/api/pool", other).status, 409);
}

TEST_F(PoolRoutesTest, BadInputIs400AndNamesTheField) {
    auto bad = pool;
    bad["pg_num"] = "x";

    const auto reply = post("/api/pool", bad);

    EXPECT_EQ(reply.status, 400);
    EXPECT_THAT(reply.body["detail"], HasSubstr("pg_num"));
    EXPECT_TRUE(commands.requests().empty());
}

}  // namespace
}  // namespace taskd::api
