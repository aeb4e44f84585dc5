#include "worker/job_runner.hpp"

#include "support/blocker.hpp"
#include "support/collected.hpp"
#include "support/test_operations.hpp"

#include <latch>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <taskd/error.hpp>

namespace taskd::worker {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using test::run_test;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Le;

struct Result {
    std::string id;
    json value;
    json error;
};

struct RecordingSink final : JobSink {
    void progress(const std::string& id, int percent) noexcept override {
        before_progress(percent);
        reports.add({id, percent});
    }
    void result(const std::string& id, json value, json error) noexcept override {
        results.add({id, std::move(value), std::move(error)});
    }
    std::vector<int> percents() const {
        std::vector<int> all;
        for (const auto& [id, percent] : reports.values()) all.push_back(percent);
        return all;
    }

    std::function<void(int percent)> before_progress = [](int) {};
    test::Collected<std::pair<std::string, int>> reports;
    test::Collected<Result> results;
};

class JobRunnerTest : public ::testing::Test {
  protected:
    Result run_one(json arguments = nullptr, int attempt = 1) {
        runner.run({"job", "test/run", std::move(arguments), attempt});
        return sink.results.wait_for(1)[0];
    }

    RecordingSink sink;
    test::Collected<std::string> steps;
    std::function<void(std::string_view step)> on_step = [](std::string_view) {};
    JobRunner runner{nullptr, test::test_registry(), sink, 2, [this](const WorkOrder& order, std::string_view step) {
                         steps.add(order.operation + ":" + std::string(step));
                         on_step(step);
                     }};
};

TEST_F(JobRunnerTest, RunsTheOperationWithItsArguments) {
    run_test = [](rbd::OperationContext&, const json& arguments) { return json{{"got", arguments}}; };

    const auto result = run_one({{"a", 1}});

    EXPECT_EQ(result.id, "job");
    EXPECT_EQ(result.value, json({{"got", {{"a", 1}}}}));
    EXPECT_TRUE(result.error.is_null());
    EXPECT_EQ(runner.jobs(), 0U);
}

TEST_F(JobRunnerTest, TheOperationKnowsItsTaskAndAttempt) {
    run_test = [](rbd::OperationContext& context, const json&) {
        return json{context.task_id(), context.attempt(), context.is_repeated()};
    };

    EXPECT_EQ(run_one(nullptr, 2).value, json({"job", 2, true}));
}

TEST_F(JobRunnerTest, AnErrorComesBackWithAllItCarries) {
    run_test = [](rbd::OperationContext&, const json&) -> json {
        throw Error(ErrorKind::refused, EBUSY, "rbd", "[errno 16] RBD image is busy", {{"blockers", 1}});
    };

    EXPECT_EQ(run_one().error, json({{"kind", "refused"},
                                     {"code", 16},
                                     {"component", "rbd"},
                                     {"detail", "[errno 16] RBD image is busy"},
                                     {"extra", {{"blockers", 1}}}}));
}

TEST_F(JobRunnerTest, AnyOtherExceptionIsAnErrorToo) {
    run_test = [](rbd::OperationContext&, const json&) -> json { throw std::runtime_error("by chance"); };
    EXPECT_EQ(run_one().error["detail"], "by chance");
}

TEST_F(JobRunnerTest, SomethingThatIsNoExceptionIsAnErrorToo) {
    run_test = [](rbd::OperationContext&, const json&) -> json { throw 5; };
    EXPECT_EQ(run_one().error["kind"], "internal");
}

TEST_F(JobRunnerTest, AnOperationThatIsUnknownIsAnError) {
    runner.run({"job", "rbd/nonsense", nullptr, 1});

    EXPECT_THAT(sink.results.wait_for(1)[0].error["detail"].get<std::string>(), HasSubstr("rbd/nonsense"));
}

TEST_F(JobRunnerTest, JobsRunSideBySide) {
    std::latch both{2};
    run_test = [&both](rbd::OperationContext&, const json&) {
        both.arrive_and_wait();
        return json();
    };

    runner.run({"a", "test/run", nullptr, 1});
    runner.run({"b", "test/run", nullptr, 1});

    sink.results.wait_for(2);
}

TEST_F(JobRunnerTest, MoreJobsThanItTakesFailAsRefusedForWantOfRoom) {
    test::Blocker blocker;
    std::latch started{2};
    run_test = [&](rbd::OperationContext& context, const json&) {
        started.count_down();
        if (context.task_id() == "0") blocker.block();
        blocker.wait_until_blocked();
        while (!context.stop_requested()) context.pause(1h);
        return json();
    };
    runner.run({"0", "test/run", nullptr, 1});
    runner.run({"1", "test/run", nullptr, 1});
    started.wait();
    for (int n = 2; n < 5; ++n) runner.run({std::to_string(n), "test/run", nullptr, 1});

    const auto refused = sink.results.wait_for(1)[0];

    EXPECT_EQ(refused.id, "4");
    EXPECT_EQ(refused.error["kind"], "unavailable");
    EXPECT_EQ(runner.jobs(), 4U);
    blocker.release();
    for (int n = 0; n < 4; ++n) runner.cancel(std::to_string(n));
    sink.results.wait_for(5);
}

// --- stop

TEST_F(JobRunnerTest, CancelWakesTheOperationThatPauses) {
    test::Blocker blocker;
    run_test = [&blocker](rbd::OperationContext& context, const json&) -> json {
        blocker.block();
        EXPECT_FALSE(context.pause(1h));
        EXPECT_TRUE(context.stop_requested());
        throw Error(ErrorKind::cancelled, ECANCELED, "rbd", "[errno 125] half done");
    };
    runner.run({"job", "test/run", nullptr, 1});
    blocker.wait_until_blocked();
    blocker.release();

    runner.cancel("job");

    EXPECT_EQ(sink.results.wait_for(1)[0].error["kind"], "cancelled");
}

TEST_F(JobRunnerTest, CancelIsForThatJobOnly) {
    std::latch both{2};
    run_test = [&both](rbd::OperationContext& context, const json&) {
        both.arrive_and_wait();
        if (context.task_id() == "a") context.pause(1h);
        return json(context.stop_requested());
    };
    runner.run({"a", "test/run", nullptr, 1});
    runner.run({"b", "test/run", nullptr, 1});
    sink.results.wait_for(1);

    runner.cancel("a");
    runner.cancel("unknown");

    const auto results = sink.results.wait_for(2);
    EXPECT_EQ(results[0].value, false);
    EXPECT_EQ(results[1].value, true);
}

TEST_F(JobRunnerTest, APauseEndsByItself) {
    run_test = [](rbd::OperationContext& context, const json&) { return json(context.pause(1ms)); };

    EXPECT_EQ(run_one().value, true);
}

TEST(JobRunner, ItsEndAsksJobsToStopAndWaitsForThem) {
    RecordingSink sink;
    test::Blocker blocker;
    run_test = [&blocker](rbd::OperationContext& context, const json&) {
        blocker.block();
        context.pause(1h);
        return json("stopped");
    };
    {
        JobRunner runner(nullptr, test::test_registry(), sink, 1);
        runner.run({"job", "test/run", nullptr, 1});
        blocker.wait_until_blocked();
        blocker.release();
    }

    ASSERT_EQ(sink.results.size(), 1U);
    EXPECT_EQ(sink.results.values()[0].value, "stopped");
}

// --- progress

TEST_F(JobRunnerTest, ProgressIsAPercentageBelow100) {
    run_test = [](rbd::OperationContext& context, const json&) {
        context.progress(10, 10);
        return json();
    };
    run_one();

    EXPECT_THAT(sink.percents(), ElementsAre(99));
}

TEST_F(JobRunnerTest, ProgressIsReportedAtMost42TimesInTheFirstSecondThenTenTimesASecondAndNeverFalls) {
    constexpr std::uint64_t total = 1'000'000;
    const auto began = std::chrono::steady_clock::now();
    run_test = [](rbd::OperationContext& context, const json&) {
        for (std::uint64_t done = 0; done < total; ++done) context.progress(done, total);
        return json();
    };
    run_one();

    const auto elapsed = std::chrono::steady_clock::now() - began;
    const auto percents = sink.percents();
    EXPECT_FALSE(percents.empty());
    EXPECT_LE(percents.size(), static_cast<std::size_t>(elapsed / 100ms) + 42);
    EXPECT_TRUE(std::is_sorted(percents.begin(), percents.end()));
    EXPECT_THAT(percents, Each(Le(99)));
}

TEST_F(JobRunnerTest, ProgressOfShortWorkIsReportedMoreOftenThanOfLongWork) {
    const auto began = std::chrono::steady_clock::now();
    run_test = [began](rbd::OperationContext& context, const json&) {
        for (auto age = 0ms; age < 200ms;
             age = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began))
            context.progress(static_cast<std::uint64_t>(age.count()), 200);
        return json();
    };
    run_one();

    const auto elapsed = std::chrono::steady_clock::now() - began;
    EXPECT_GT(sink.percents().size(), static_cast<std::size_t>(elapsed / 100ms) + 1);
}

TEST_F(JobRunnerTest, ProgressOfSeveralThreadsOfLibrbdNeverFalls) {
    run_test = [](rbd::OperationContext& context, const json&) {
        constexpr std::uint64_t total = 100'000;
        std::atomic<std::uint64_t> done{0};
        std::vector<std::jthread> threads;
        for (int n = 0; n < 4; ++n)
            threads.emplace_back([&] {
                while (done < total) context.progress(std::min(++done, total), total);
            });
        return json();
    };
    run_one();

    const auto percents = sink.percents();
    EXPECT_TRUE(std::is_sorted(percents.begin(), percents.end()));
}

TEST_F(JobRunnerTest, AReportIsNotOvertakenByOneOfMore) {
    std::latch first_is_on_its_way(1);
    std::latch second_came_back(1);
    sink.before_progress = [&](int percent) {
        if (percent != 1) return;
        first_is_on_its_way.count_down();
        second_came_back.wait();
    };
    run_test = [&](rbd::OperationContext& context, const json&) {
        const std::jthread first([&] { context.progress(1, 100); });
        first_is_on_its_way.wait();
        const auto long_after = std::chrono::steady_clock::now() + 50ms;  // when a report is due again
        while (std::chrono::steady_clock::now() < long_after) context.progress(50, 100);
        second_came_back.count_down();
        return json();
    };
    run_one();

    EXPECT_THAT(sink.percents(), ElementsAre(1));
}

TEST_F(JobRunnerTest, WorkThatGoesOnWithoutReachingAPercentSaysSoNowAndThen) {
    run_test = [this](rbd::OperationContext& context, const json&) {
        while (sink.reports.size() < 2) context.progress(1, 1'000'000);
        return json();
    };
    run_one();

    EXPECT_THAT(sink.percents(), ElementsAre(0, 0));
}

TEST_F(JobRunnerTest, NoTotalIsNoProgress) {
    run_test = [](rbd::OperationContext& context, const json&) {
        context.progress(0, 0);
        return json();
    };
    run_one();

    EXPECT_THAT(sink.percents(), Each(0));
}

// --- steps

TEST_F(JobRunnerTest, EachStepIsShownToTheHook) {
    run_test = [](rbd::OperationContext& context, const json&) {
        context.step("look");
        context.step("remove");
        return json();
    };
    run_one();

    EXPECT_THAT(steps.values(), ElementsAre("test/run:look", "test/run:remove"));
}

TEST_F(JobRunnerTest, AHookThatThrowsEndsTheOperation) {
    on_step = [](std::string_view) { throw Error(ErrorKind::internal, 0, "test", "interrupted here"); };
    run_test = [](rbd::OperationContext& context, const json&) {
        context.step("look");
        ADD_FAILURE() << "went on";
        return json();
    };

    EXPECT_EQ(run_one().error["detail"], "interrupted here");
}

TEST(JobRunner, NeedsNoHook) {
    RecordingSink sink;
    run_test = [](rbd::OperationContext& context, const json&) {
        context.step("look");
        return json();
    };
    JobRunner runner(nullptr, test::test_registry(), sink, 1);
    runner.run({"job", "test/run", nullptr, 1});

    EXPECT_TRUE(sink.results.wait_for(1)[0].error.is_null());
}

}  // namespace
}  // namespace taskd::worker
