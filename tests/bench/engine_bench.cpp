// What a task costs beside what it runs. Usage: engine_bench [--benchmark_filter=…]; build with the release preset.
//
//   post             boost::asio::post to an io_context with as many threads: what any pool costs
//   no_op            TaskManager::run of a function that does nothing, until it finished; dedupe included
//   no_op/executing  the same while so many others execute
//   join             a run that finds the same task executing
//   memory           bytes per executing task, allocator's overhead included

#include <atomic>
#include <memory>
#include <semaphore>
#include <thread>
#include <vector>

#include <benchmark/benchmark.h>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <malloc.h>
#include <taskd/task_manager.hpp>

namespace {

using nlohmann::json;
using taskd::RunOptions;
using taskd::TaskManager;

constexpr std::size_t pool_threads = 2;
/// Submitted before the last one is awaited: the pool is busy, as under load, and no wake-up is measured.
constexpr std::int64_t batch = 1000;

/// Stays executing until it is told to end.
class HeldExecutor final : public taskd::TaskExecutor {
  public:
    void start() override {}
};

struct Held {
    std::shared_ptr<taskd::Task> task;
    HeldExecutor* executor;
};

std::vector<Held> hold(TaskManager& manager, std::int64_t count) {
    std::vector<Held> held;
    held.reserve(static_cast<std::size_t>(count));
    for (std::int64_t n = 0; n < count; ++n) {
        auto executor = std::make_unique<HeldExecutor>();
        HeldExecutor* const raw = executor.get();
        RunOptions options;
        options.executor = std::move(executor);
        held.push_back({manager.run_function("rbd/delete", {{"image_spec", "rbd/held-" + std::to_string(n)}}, nullptr,
                                             std::move(options)),
                        raw});
    }
    return held;
}

void release(const std::vector<Held>& held) {
    for (const auto& [task, executor] : held) executor->finish(nullptr);
}

void per_item(benchmark::State& state) {
    state.SetItemsProcessed(state.iterations() * batch);
    state.counters["ns_per_item"] = benchmark::Counter(static_cast<double>(state.iterations() * batch),
                                                       benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void post(benchmark::State& state) {
    boost::asio::io_context context(static_cast<int>(pool_threads));
    auto work = boost::asio::make_work_guard(context);
    std::vector<std::thread> threads;
    for (std::size_t n = 0; n < pool_threads; ++n) threads.emplace_back([&] { context.run(); });

    std::atomic<std::int64_t> left;
    std::binary_semaphore done{0};
    for (auto _ : state) {
        left = batch;
        for (std::int64_t n = 0; n < batch; ++n)
            boost::asio::post(context, [&] {
                if (--left == 0) done.release();
            });
        done.acquire();
    }
    per_item(state);
    work.reset();
    for (auto& thread : threads) thread.join();
}
BENCHMARK(post)->UseRealTime();

void no_op(benchmark::State& state) {
    TaskManager manager({.threads = pool_threads});
    const auto held = hold(manager, state.range(0));

    std::int64_t number = 0;
    std::atomic<std::int64_t> left;
    std::binary_semaphore done{0};
    for (auto _ : state) {
        left = batch;
        for (std::int64_t n = 0; n < batch; ++n) {
            const auto task = manager.run("rbd/create", {{"n", ++number}}, [] {});
            // Whoever is told of the last end lets the batch go on.
            const auto count_down = [&left, &done] {
                if (--left == 0) done.release();
            };
            if (task->on_finished(count_down) == 0) count_down();
        }
        done.acquire();
    }
    per_item(state);
    release(held);
}
BENCHMARK(no_op)->ArgName("executing")->Arg(0)->Arg(1'000)->Arg(100'000)->UseRealTime();

void join(benchmark::State& state) {
    TaskManager manager({.threads = pool_threads});
    const auto held = hold(manager, state.range(0));

    for (auto _ : state)
        for (std::int64_t n = 0; n < batch; ++n)
            benchmark::DoNotOptimize(manager.run("rbd/delete", {{"image_spec", "rbd/held-0"}}, [] {}));
    per_item(state);
    release(held);
}
BENCHMARK(join)->ArgName("executing")->Arg(1)->Arg(100'000)->UseRealTime();

void memory(benchmark::State& state) {
    TaskManager manager({.threads = pool_threads});
    for (auto _ : state) {
        const auto before = mallinfo2();
        const auto held = hold(manager, state.range(0));
        const auto after = mallinfo2();
        // Less the vector that the benchmark itself holds them in.
        const auto bytes = static_cast<double>(after.uordblks + after.hblkhd) -
                           static_cast<double>(before.uordblks + before.hblkhd) -
                           static_cast<double>(held.capacity() * sizeof(Held));
        state.counters["bytes_per_task"] = bytes / static_cast<double>(state.range(0));
        release(held);
    }
}
BENCHMARK(memory)->ArgName("executing")->Arg(100'000)->Iterations(1);

}  // namespace
