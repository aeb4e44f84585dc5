#include "worker/local_worker.hpp"

#include "support/blocker.hpp"
#include "support/test_operations.hpp"
#include "worker/dispatcher.hpp"
#include "worker/operation_service.hpp"

#include <atomic>
#include <latch>
#include <string>

#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <taskd/error.hpp>

namespace taskd::worker {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using test::run_test;

/// Everything between a request and an operation, on threads of this process.
class LocalWorkerTest : public ::testing::Test {
  protected:
    LocalWorkerTest()
        : dispatcher(options(),
                     [](Dispatcher::Role, boost::asio::io_context& context, WorkerEvents& events) {
                         return std::make_unique<LocalWorker>(nullptr, test::test_registry(), 4 * threads_for_a_slot,
                                                              context, events);
                     }),
          service(tasks, test::test_registry(), dispatcher, {}, {}) {}

    static DispatcherOptions options() {
        DispatcherOptions options;
        options.workers = 1;
        options.threads_per_worker = 4;
        options.tick = 1ms;
        return options;
    }

    TaskManager tasks;
    Dispatcher dispatcher;
    OperationService service;
};

TEST_F(LocalWorkerTest, RunsAnOperationAsATask) {
    run_test = [](rbd::OperationContext& context, const json& arguments) {
        return json{{"id", context.task_id()}, {"n", arguments["n"]}};
    };

    const auto task = service.submit("test/run", {{"n", 5}});

    EXPECT_EQ(task->wait().value, json({{"id", task->id()}, {"n", 5}}));
    EXPECT_EQ(task->metadata(), json({{"n", 5}}));
}

TEST_F(LocalWorkerTest, ShowsProgressWhileItRuns) {
    test::Blocker blocker;
    run_test = [&blocker](rbd::OperationContext& context, const json&) {
        context.progress(3, 4);
        blocker.block();
        return json();
    };

    const auto task = service.submit("test/run", json::object());
    blocker.wait_until_blocked();
    while (task->progress() != 75) std::this_thread::yield();

    blocker.release();
    task->wait();
    EXPECT_EQ(task->progress(), 100);
}

TEST_F(LocalWorkerTest, CancelReachesTheOperation) {
    run_test = [](rbd::OperationContext& context, const json&) -> json {
        context.pause(1h);
        throw Error(ErrorKind::cancelled, ECANCELED, "rbd", "[errno 125] stopped");
    };
    const auto task = service.submit("test/run", json::object());

    task->cancel();

    EXPECT_THROW(task->wait(), Error);
}

TEST_F(LocalWorkerTest, AnEqualRequestJoinsTheTaskThatIsUnderWay) {
    test::Blocker blocker;
    std::atomic<int> runs = 0;
    run_test = [&](rbd::OperationContext&, const json&) {
        ++runs;
        blocker.block();
        return json();
    };

    const auto first = service.submit("test/run", {{"n", 1}});
    const auto second = service.submit("test/run", {{"n", 1}});
    blocker.wait_until_blocked();
    blocker.release();
    first->wait();

    EXPECT_EQ(first, second);
    EXPECT_EQ(runs, 1);
}

TEST_F(LocalWorkerTest, ItsEndStopsWhatRuns) {
    run_test = [](rbd::OperationContext& context, const json&) {
        context.pause(1h);
        return json();
    };
    service.submit("test/run", json::object());

    dispatcher.stop_now();
}

TEST_F(LocalWorkerTest, AStopWithGraceLetsItEnd) {
    test::Blocker blocker;
    run_test = [&blocker](rbd::OperationContext&, const json&) {
        blocker.block();
        return json("ended");
    };
    const auto task = service.submit("test/run", json::object());
    blocker.wait_until_blocked();
    blocker.release();

    dispatcher.stop(1h);

    EXPECT_EQ(task->wait().value, "ended");
}

}  // namespace
}  // namespace taskd::worker
