#include <cerrno>

#include <gmock/gmock.h>
#include <taskd/aio_executor.hpp>
#include <taskd/error.hpp>
#include <taskd/task_manager.hpp>

namespace taskd {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

// What needs no cluster; operations that run are in tests/cluster/ceph/aio_test.cpp.
struct AioExecutorTest : ::testing::Test {
    TaskManager manager{TaskManagerOptions{.sweep_interval = 0ms}};
    AioWindow window;

    std::shared_ptr<Task> run(const std::function<void(const AioCompletion&)>& function) {
        auto executor = std::make_unique<AioExecutor>(window);
        const auto completion = executor->completion();
        RunOptions options;
        options.executor = std::move(executor);
        return manager.run(
            "aio", {{"number", ++number_}}, [=] { function(completion); }, std::move(options));
    }

    static json failure(const std::shared_ptr<Task>& task) {
        try {
            task->wait();
        } catch (...) {
            return error_to_json(std::current_exception());
        }
        return nullptr;
    }

  private:
    int number_ = 0;
};

TEST_F(AioExecutorTest, FailsWhenTheFunctionThrows) {
    EXPECT_EQ(failure(run([](const AioCompletion&) { throw std::runtime_error("oops"); }))["detail"], "oops");
}

TEST_F(AioExecutorTest, FailsWhenTheCompletionIsDroppedUnused) {
    EXPECT_EQ(failure(run([](const AioCompletion&) {}))["detail"], "the task's function started no operation");
}

TEST_F(AioExecutorTest, FailsWhenTheOperationCannotBeStarted) {
    const auto error = failure(run(
        [](const AioCompletion& completion) { completion.start("write object 'x'", [](void*) { return -EINVAL; }); }));

    EXPECT_EQ(error["detail"], "[errno 22] RADOS invalid argument (write object 'x')");
    EXPECT_EQ(error["component"], "rados");
}

TEST_F(AioExecutorTest, RefusesOperationsOutsideOfTheFunction) {
    std::optional<AioCompletion> kept;
    failure(run([&](const AioCompletion& completion) { kept = completion; }));

    EXPECT_THROW(kept->start("late", [](void*) { return 0; }), std::logic_error);
}

TEST_F(AioExecutorTest, FailsWhatComesAfterTheStop) {
    window.stop();

    EXPECT_EQ(failure(run([](const AioCompletion&) {}))["kind"], "unavailable");
}

TEST(AioWindow, RefusesWhatIsMoreThanItsCapacity) {
    TaskManager manager;
    AioWindow window({.in_flight = 0, .capacity = 1, .stop_grace = 0ms});
    const auto run = [&](int number) {
        RunOptions options;
        options.executor = std::make_unique<AioExecutor>(window);
        return manager.run(
            "aio", {{"number", number}}, [] {}, std::move(options));
    };
    const auto waiting = run(1);
    EXPECT_EQ(window.waiting(), 1U);

    EXPECT_THROW(run(2)->wait(), QueueFull);
    EXPECT_FALSE(waiting->is_finished());

    waiting->cancel();
    EXPECT_EQ(window.waiting(), 0U);
    EXPECT_THROW(waiting->wait(), Error);
}

TEST(AioWindow, EndsTasksThatWaitWhenItStops) {
    TaskManager manager;
    AioWindow window({.in_flight = 0, .stop_grace = 0ms});
    RunOptions options;
    options.executor = std::make_unique<AioExecutor>(window);
    const auto waiting = manager.run(
        "aio", {}, [] {}, std::move(options));

    window.stop();

    try {
        waiting->wait();
        FAIL() << "ran";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::cancelled);
    }
}

}  // namespace
}  // namespace taskd
