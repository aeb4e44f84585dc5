#pragma once

#include "support/fake_worker.hpp"
#include "support/manual_clock.hpp"
#include "support/manual_executor.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gmock/gmock.h>

namespace taskd::worker {

/// How a test wants a job; the rest is usual.
struct Wish {
    std::vector<std::string> images = {};
    std::optional<std::chrono::milliseconds> deadline = std::nullopt;
    int attempts_before = 0;
    bool accepted_before = false;
};

/// A dispatcher with a fake crew and a manual clock; each test makes it with the options that it needs.
class DispatcherTest : public ::testing::Test {
  protected:
    /// One worker, and no job ever counts as stalled, unless a test wants it otherwise.
    DispatcherTest() {
        options.workers = 1;
        options.threads_per_worker = 16;
        options.tick = std::chrono::milliseconds(1);
        options.stall_after = std::chrono::hours(1'000'000);  // stalled jobs leave their slots to others
    }

    void start() { dispatcher.emplace(options, crew.factory(), clock); }

    std::shared_ptr<Task> submit(Wish wish = {}) {
        const auto manual = test::run_manual(tasks, "test/job", {{"n", ++submitted_}});
        Job job;
        job.task = manual.task;
        job.operation = "test/job";
        job.arguments = {{"n", submitted_}};
        job.place.pool = "rbd";
        job.place.images = std::move(wish.images);
        job.deadline = wish.deadline;
        job.attempts_before = wish.attempts_before;
        job.room = wish.accepted_before ? dispatcher->keep_room_for_accepted() : dispatcher->keep_room();
        job.on_end = [executor = manual.executor, task = manual.task](nlohmann::json value, std::exception_ptr error) {
            executor->finish(std::move(value), std::move(error));
        };
        dispatcher->submit(std::move(job));
        return manual.task;
    }

    /// How it failed, in words; fails the test if it did not.
    static std::string failure_of(const std::shared_ptr<Task>& task) {
        try {
            task->wait();
        } catch (const Error& error) {
            return error.what();
        }
        ADD_FAILURE() << "the task succeeded";
        return {};
    }
    static ErrorKind kind_of_failure(const std::shared_ptr<Task>& task) {
        try {
            task->wait();
        } catch (const Error& error) {
            return error.kind();
        }
        ADD_FAILURE() << "the task succeeded";
        return {};
    }

    /// The dispatcher has it and could not give it to a worker. Its status() tells how many wait, but for a moment
    /// still of a job that a worker was just given.
    static void wait_until_queued(const std::shared_ptr<Task>& task) {
        wait_until([&] { return !task->status().waiting_for.empty(); });
    }
    /// A test that would wait for ever is ended by ctest.
    static void wait_until(const std::function<bool()>& condition) {
        while (!condition()) std::this_thread::yield();
    }
    /// The same while time passes.
    void advance_until(const std::function<bool()>& condition) {
        for (; !condition(); std::this_thread::yield()) clock.advance(std::chrono::seconds(1));
    }
    /// The dispatcher has dealt with everything that it was told before.
    void settle() {
        const auto last = submit();
        crew.succeed(crew.wait_for_order(last->id()));
        last->wait();
    }

    DispatcherOptions options;
    test::ManualClock clock;
    test::FakeCrew crew;
    TaskManager tasks{{.clock = &clock}};
    std::optional<Dispatcher> dispatcher;

  private:
    int submitted_ = 0;
};

}  // namespace taskd::worker
