// What a task costs beside what it runs. Usage: engine_bench [--benchmark_filter=…]; build with the release preset.
//
//   hand_over        a cache line from one core to the other: what each word costs that two threads of a task touch
//   post             boost::asio::post to an io_context with as many threads: what any pool costs
//   no_op            TaskManager::run of a function that does nothing, until it finished; dedupe included, and the end
//   of
//                    the metadata, but not its making, which is the caller's
//   no_op/executing  the same while so many others execute
//   join             a run that finds the same task executing
//   memory           bytes per executing task, allocator's overhead included; and less its name and metadata

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

void hand_over(benchmark::State& state) {
    constexpr std::int64_t end = -1;
    alignas(128) std::atomic<std::int64_t> turn{0};  // odd: the other's
    std::thread other([&turn] {
        for (std::int64_t seen = 0; seen != end; seen = turn.load(std::memory_order_acquire))
            if (seen % 2 == 1) turn.store(seen + 1, std::memory_order_release);
    });
    for (auto _ : state) {
        for (std::int64_t n = 0; n < batch; n += 2) {
            const auto mine = turn.load(std::memory_order_relaxed);
            turn.store(mine + 1, std::memory_order_release);
            while (turn.load(std::memory_order_acquire) == mine + 1) continue;
        }
    }
    per_item(state);
    turn.store(end, std::memory_order_release);
    other.join();
}
BENCHMARK(hand_over)->UseRealTime();

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
    std::vector<json> metadata(static_cast<std::size_t>(batch));
    std::atomic<std::int64_t> left;
    std::binary_semaphore done{0};
    for (auto _ : state) {
        state.PauseTiming();  // what callers bring with them
        for (auto& one : metadata) one = {{"n", ++number}};
        state.ResumeTiming();
        left = batch;
        for (auto& one : metadata) {
            const auto task = manager.run("rbd/create", std::move(one), [] {});
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

std::size_t bytes_in_use() {
    const auto now = mallinfo2();
    return now.uordblks + now.hblkhd;
}

void memory(benchmark::State& state) {
    TaskManager manager({.threads = pool_threads});
    const auto count = static_cast<std::size_t>(state.range(0));
    for (auto _ : state) {
        const auto before = bytes_in_use();
        std::vector<json> own(count);
        for (std::size_t n = 0; n < count; ++n)
            own[n] = {"rbd/delete", {{"image_spec", "rbd/held-" + std::to_string(n)}}};
        const auto with_own = bytes_in_use();
        const auto held = hold(manager, state.range(0));
        // Less the vector that the benchmark itself holds them in.
        const auto bytes = bytes_in_use() - with_own - held.capacity() * sizeof(Held);
        const auto per_task = [&](std::size_t all) { return static_cast<double>(all) / static_cast<double>(count); };
        state.counters["bytes_per_task"] = per_task(bytes);
        state.counters["bytes_above_own"] = per_task(bytes) - per_task(with_own - before);
        release(held);
    }
}
BENCHMARK(memory)->ArgName("executing")->Arg(100'000)->Iterations(1);

}  // namespace
