#include "worker/worker_executor.hpp"

#include "support/fake_worker.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include <gmock/gmock.h>
#include <taskd/task_manager.hpp>

namespace taskd::worker {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

class WorkerExecutorTest : public ::testing::Test {
  protected:
    /// @param bound  What was found out when it was accepted.
    std::shared_ptr<Task> run(const rbd::Operation& operation, const json& given, const json& bound = json::object()) {
        auto executor = std::make_unique<WorkerExecutor>(dispatcher, dispatcher.keep_room(), operation, WorkOptions{});
        executor->bind(bound);
        RunOptions options;
        options.arguments = operation.decode(given, rbd::Limits{});
        options.executor = std::move(executor);
        auto metadata = operation.metadata(options.arguments);
        return tasks.run_function(std::string(operation.name), std::move(metadata), {}, std::move(options));
    }
    /// A test that would wait for ever is ended by ctest.
    static std::string reason_to_wait(const Task& task) {
        while (task.status().waiting_for.empty()) std::this_thread::yield();
        return task.status().waiting_for;
    }

    test::FakeCrew crew;
    TaskManager tasks;
    Dispatcher dispatcher{DispatcherOptions(), crew.factory()};
};

TEST_F(WorkerExecutorTest, KeepsInOrderWhoNamesAnImageAndWhoGivesItsId) {
    const auto by_name = run(rbd::flatten_operation, {{"image_spec", "rbd/vm"}}, {{"image_id", "10ab"}});
    const auto order = crew.wait_for_order(by_name->id());

    const auto by_id = run(rbd::delete_operation, {{"image_spec", "rbd/10ab"}, {"image_id", "10ab"}});
    EXPECT_THAT(reason_to_wait(*by_id), HasSubstr(by_name->id()));

    crew.succeed(order);
    crew.succeed(crew.wait_for_order(by_id->id()));
    by_id->wait();
}

TEST_F(WorkerExecutorTest, KeepsInOrderWhoNamesAnImageAndItsEntryInTheTrash) {
    const auto by_name = run(rbd::trash_move_operation, {{"image_spec", "rbd/ns/vm"}}, {{"image_id", "10ab"}});
    const auto order = crew.wait_for_order(by_name->id());

    const auto by_id = run(rbd::trash_remove_operation, {{"image_id_spec", "rbd/ns/10ab"}});
    EXPECT_THAT(reason_to_wait(*by_id), HasSubstr(by_name->id()));

    crew.succeed(order);
    crew.succeed(crew.wait_for_order(by_id->id()));
    by_id->wait();
}

TEST_F(WorkerExecutorTest, LetsTwoImagesOfDifferentIdsGoSideBySide) {
    const auto one = run(rbd::flatten_operation, {{"image_spec", "rbd/a"}}, {{"image_id", "10ab"}});
    const auto other = run(rbd::flatten_operation, {{"image_spec", "rbd/b"}}, {{"image_id", "10ac"}});

    for (const auto& task : {one, other}) crew.succeed(crew.wait_for_order(task->id()));
    one->wait();
    other->wait();
}

TEST_F(WorkerExecutorTest, TellsTheTaskTheIdOfItsImage) {
    const auto found = run(rbd::flatten_operation, {{"image_spec", "rbd/a"}}, {{"image_id", "10ab"}});
    const auto given = run(rbd::delete_operation, {{"image_spec", "rbd/b"}, {"image_id", "10ac"}});
    const auto unknown = run(rbd::flatten_operation, {{"image_spec", "rbd/c"}});

    EXPECT_EQ(found->bound(), json({{"image_id", "10ab"}}));
    EXPECT_EQ(given->bound(), json({{"image_id", "10ac"}}));
    EXPECT_TRUE(unknown->bound().is_null());
    for (const auto& task : {found, given, unknown}) {
        crew.succeed(crew.wait_for_order(task->id()));
        task->wait();
    }
}

}  // namespace
}  // namespace taskd::worker
