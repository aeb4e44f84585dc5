#include "ceph/aio.hpp"

#include "ceph/cluster.hpp"
#include "support/cluster.hpp"
#include "support/collected.hpp"

#include <cerrno>
#include <thread>

#include <gmock/gmock.h>
#include <taskd/aio_executor.hpp>
#include <taskd/error.hpp>
#include <taskd/task_manager.hpp>

namespace taskd::ceph {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

const auto& cluster = test::TestCluster::for_all_tests();

std::shared_ptr<Cluster> connect() {
    ClusterOptions options;
    options.conf = cluster.conf();
    return Cluster::connect(options);
}

struct AioTasks : ::testing::Test {
    std::shared_ptr<Cluster> connected = connect();
    Ioctx io = connected->open_ioctx("rbd", "aio-test");
    TaskManager manager{TaskManagerOptions{.sweep_interval = 0ms}};

    std::shared_ptr<Task> run(AioWindow& window, const std::string& name, const std::string& object,
                              std::function<void(const AioCompletion&)> function) {
        auto executor = std::make_unique<AioExecutor>(window);
        const auto completion = executor->completion();
        RunOptions options;
        options.executor = std::move(executor);
        return manager.run(
            name, {{"object", object}}, [=, function = std::move(function)] { function(completion); },
            std::move(options));
    }
    std::shared_ptr<Task> write(AioWindow& window, const std::string& object, const std::string& text) {
        const auto data = std::make_shared<const std::string>(text);
        return run(window, "object/write", object, [this, object, data](const AioCompletion& completion) {
            completion.on_success([data](int) { return nullptr; });
            completion.start("write object '" + object + "'", [&](void* c) {
                return rados_aio_write_full(io.handle(), object.c_str(), c, data->data(), data->size());
            });
        });
    }
    std::shared_ptr<Task> read(AioWindow& window, const std::string& object) {
        const auto buffer = std::make_shared<std::string>(64, '\0');
        return run(window, "object/read", object, [this, object, buffer](const AioCompletion& completion) {
            completion.on_success([buffer](int size) { return buffer->substr(0, static_cast<std::size_t>(size)); });
            completion.start("read object '" + object + "'", [&](void* c) {
                return rados_aio_read(io.handle(), object.c_str(), c, buffer->data(), buffer->size(), 0);
            });
        });
    }
};

TEST_F(AioTasks, WriteAndReadThousandsOfObjects) {
    constexpr int many = 5000;
    AioWindow window({.in_flight = 300});
    const auto name = [](int n) { return "object." + std::to_string(n); };
    std::vector<std::shared_ptr<Task>> tasks;
    std::size_t most_in_flight = 0;

    for (int n = 0; n < many; ++n) {
        tasks.push_back(write(window, name(n), "text " + std::to_string(n)));
        most_in_flight = std::max(most_in_flight, window.in_flight());
    }
    for (const auto& task : tasks) task->wait();
    tasks.clear();
    for (int n = 0; n < many; ++n) tasks.push_back(read(window, name(n)));

    for (int n = 0; n < many; ++n)
        EXPECT_EQ(tasks[static_cast<std::size_t>(n)]->wait().value, "text " + std::to_string(n));
    EXPECT_GE(most_in_flight, 100U);
    EXPECT_LE(most_in_flight, 300U);
    while (window.in_flight() > 0) std::this_thread::yield();  // a task ends before its place is free
}

TEST_F(AioTasks, FailWithWhatLibradosSays) {
    AioWindow window;

    try {
        read(window, "nonesuch")->wait();
        FAIL() << "read";
    } catch (const Error& error) {
        EXPECT_STREQ(error.what(), "[errno 2] RADOS object not found (read object 'nonesuch')");
        EXPECT_EQ(error.component(), "rados");
    }
}

TEST_F(AioTasks, EndAfterTheLastOfSeveralOperations) {
    AioWindow window;
    const auto task = run(window, "object/several", "s", [this](const AioCompletion& completion) {
        for (const std::string object : {"s.0", "s.1", "s.2"})
            completion.start("write object '" + object + "'",
                             [&](void* c) { return rados_aio_write_full(io.handle(), object.c_str(), c, "x", 1); });
    });
    task->wait();

    for (const char* object : {"s.0", "s.1", "s.2"}) EXPECT_EQ(read(window, object)->wait().value, "x");
}

TEST_F(AioTasks, FailWhenTheirValueCannotBeMade) {
    AioWindow window;
    const auto task = run(window, "object/convert", "c", [this](const AioCompletion& completion) {
        completion.on_success([](int) -> json { throw BadRequest("object", "not understood"); });
        completion.start("write object 'c'",
                         [&](void* c) { return rados_aio_write_full(io.handle(), "c", c, "x", 1); });
    });

    EXPECT_THROW(task->wait(), BadRequest);
}

TEST_F(AioTasks, EndByForceWhileTheOsdDoesNotAnswer) {
    AioWindow window;
    write(window, "frozen", "before")->wait();
    std::shared_ptr<Task> task;
    {
        const test::Frozen frozen(cluster, "osd.0");
        task = write(window, "frozen", "after");

        task->cancel();
        EXPECT_EQ(task->wait(50ms).state, VALUE_EXECUTING);
        task->cancel(true);
        EXPECT_THROW(task->wait(), Error);
        EXPECT_EQ(window.in_flight(), 1U) << "its operation is still under way";
    }
    while (window.in_flight() > 0) std::this_thread::yield();
    EXPECT_EQ(read(window, "frozen")->wait().value, "after") << "it took effect all the same";
}

TEST_F(AioTasks, DoNotKeepTheWindowFromStopping) {
    const test::Frozen frozen(cluster, "osd.0");
    AioWindow window({.stop_grace = 100ms});
    const auto task = write(window, "stopped", "x");

    window.stop();

    try {
        task->wait();
        FAIL() << "written";
    } catch (const Error& error) {
        EXPECT_EQ(error.errno_value(), ETIMEDOUT);
    }
}

TEST(StartAio, CallsBackOnce) {
    const auto connected = connect();
    const Ioctx io = connected->open_ioctx("rbd");
    test::Collected<int> results;

    start_aio(
        "write object 'x'", [&](rados_completion_t c) { return rados_aio_write_full(io.handle(), "x", c, "x", 1); },
        [&](int rc) { results.add(rc); });
    results.wait_for(1);
    rados_aio_flush(io.handle());

    EXPECT_EQ(results.values(), std::vector<int>{0});
}

TEST(StartAio, DoesNotCallBackWhenItThrows) {
    int called = 0;

    EXPECT_THROW(start_aio(
                     "nothing", [](rados_completion_t) { return -EINVAL; }, [&](int) { ++called; }),
                 Error);
    EXPECT_THROW(
        start_aio(
            "nothing", [](rados_completion_t) -> int { throw std::runtime_error("oops"); }, [&](int) { ++called; }),
        std::runtime_error);

    EXPECT_EQ(called, 0);
}

}  // namespace
}  // namespace taskd::ceph
