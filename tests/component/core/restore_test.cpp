#include "support/manual_clock.hpp"
#include "support/manual_executor.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <taskd/error.hpp>
#include <taskd/task_manager.hpp>

namespace taskd {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::ElementsAre;

class RestoreTest : public testing::Test {
  protected:
    /// What was listed of a task that ended `age` ago.
    json view(const std::string& name, std::chrono::nanoseconds age, bool success = true) const {
        const WallTime end = clock_.wall() - std::chrono::duration_cast<WallTime::duration>(age);
        return {{"name", name},
                {"metadata", {{"x", 1}}},
                {"begin_time", format_utc(end - 2s)},
                {"end_time", format_utc(end)},
                {"duration", 2.0},
                {"progress", success ? 100 : 30},
                {"success", success},
                {"ret_value", success ? json(7) : json()},
                {"exception", success ? json() : json{{"detail", "boom"}, {"code", "17"}}}};
    }
    void restore(const std::string& name, std::chrono::nanoseconds age, bool success = true) {
        manager_.restore_finished("id-" + name, name, {{"x", 1}}, view(name, age, success));
    }
    std::vector<std::string> names() {
        std::vector<std::string> found;
        for (const auto& task : manager_.list().finished) found.push_back(task->name());
        return found;
    }

    test::ManualClock clock_;
    TaskManager manager_{{.retention = {.ttl = 60s, .keep = 1, .most_listed = 4},
                          .sweep_interval = 0ms,
                          .threads = 1,
                          .clock = &clock_}};
};

TEST_F(RestoreTest, ARecoveredTaskGoesOnWithItsIdItsBeginTimeAndItsAttempts) {
    RunOptions options;
    options.id = "01M88ESSBF7H1MF47B1J4HBXB0";
    options.begin_time = clock_.wall() - 60s;
    options.attempts = 1;
    const auto recovered = test::run_manual(manager_, "rbd/delete", {{"x", 1}}, std::move(options));
    EXPECT_EQ(recovered.task->id(), "01M88ESSBF7H1MF47B1J4HBXB0");
    EXPECT_EQ(recovered.task->status().begin_time, clock_.wall() - 60s);
    EXPECT_EQ(recovered.task->status().attempts, 1);

    recovered.task->set_phase(TaskPhase::running);

    EXPECT_EQ(recovered.task->status().attempts, 2);
    recovered.finish();
}

TEST_F(RestoreTest, ARestoredTaskIsListedAsItWas) {
    restore("a", 5s);

    EXPECT_EQ(manager_.list_json().at("finished_tasks"), json::array({view("a", 5s)}));
}

TEST_F(RestoreTest, ItIsFinishedAndAnswersLikeOne) {
    restore("a", 5s);
    const auto task = manager_.find_by_id("id-a");

    ASSERT_NE(task, nullptr);
    EXPECT_TRUE(task->is_finished());
    EXPECT_EQ(task->wait().value, 7);
    EXPECT_EQ(task->progress(), 100);
    EXPECT_FALSE(task->on_finished([] {}));
    EXPECT_EQ(task->status().phase, TaskPhase::finished);
    EXPECT_EQ(task->status().duration_s, 2);
    EXPECT_NO_THROW(task->cancel());
}

TEST_F(RestoreTest, AFailedOneFailsAgain) {
    restore("a", 5s, false);
    const auto task = manager_.find_by_id("id-a");

    EXPECT_EQ(task->progress(), 30);
    EXPECT_EQ(task->exception_json(), (json{{"detail", "boom"}, {"code", "17"}}));
    try {
        task->wait();
        FAIL();
    } catch (const Error& error) {
        EXPECT_STREQ(error.what(), "boom");
    }
}

TEST_F(RestoreTest, AFailureListedWithoutADetailIsTakenToo) {
    json odd = view("a", 5s, false);
    odd["exception"] = nullptr;
    manager_.restore_finished("id-a", "a", nullptr, odd);
    odd["exception"] = {{"detail", 5}};
    manager_.restore_finished("id-b", "b", nullptr, odd);

    EXPECT_THROW(manager_.find_by_id("id-a")->wait(), Error);
    EXPECT_THROW(manager_.find_by_id("id-b")->wait(), Error);
}

TEST_F(RestoreTest, ItIsNotJoined) {
    restore("a", 5s);

    EXPECT_EQ(manager_.find("a", {{"x", 1}}), nullptr);
    EXPECT_EQ(manager_.run("a", {{"x", 1}}, [] { return 8; })->wait().value, 8);
}

TEST_F(RestoreTest, TheOrderIsThatOfTheEndsWhateverTheOrderOfRestoring) {
    test::run_manual(manager_, "now").finish();
    for (const auto& [name, age] : {std::pair{"b", 20s}, {"a", 10s}, {"c", 30s}}) restore(name, age);

    EXPECT_THAT(names(), ElementsAre("now", "a", "b", "c"));
}

TEST_F(RestoreTest, ItsAgeCounts) {
    restore("old", 59s);
    restore("new", 1s);
    EXPECT_THAT(names(), ElementsAre("new", "old"));
    clock_.advance(2s);
    manager_.sweep();

    EXPECT_THAT(names(), ElementsAre("new"));
}

TEST_F(RestoreTest, AnEndInTheFutureCountsAsNow) {
    restore("future", -1h);
    restore("a", 0s);
    clock_.advance(61s);
    manager_.sweep();

    EXPECT_THAT(names(), ElementsAre("a")) << "restored later, ended no earlier";
}

TEST_F(RestoreTest, TheCapHolds) {
    for (int n = 10; n > 0; --n) restore("a" + std::to_string(n), n * 1s);

    EXPECT_THAT(names(), ElementsAre("a1", "a2", "a3", "a4"));
}

TEST_F(RestoreTest, WhatIsNoFinishedViewIsRefused) {
    json bad_time = view("a", 5s);
    bad_time["end_time"] = "yesterday";

    EXPECT_THROW(manager_.restore_finished("id", "a", nullptr, bad_time), BadRequest);
    EXPECT_THROW(manager_.restore_finished("id", "a", nullptr, json::object()), json::exception);
    EXPECT_THAT(names(), testing::SizeIs(0));
}

}  // namespace
}  // namespace taskd
