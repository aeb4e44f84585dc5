#include "core/thread_name.hpp"

#include <atomic>
#include <cerrno>
#include <stdexcept>
#include <thread>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <pthread.h>
#include <spdlog/spdlog.h>
#include <taskd/error.hpp>
#include <taskd/executor.hpp>

namespace taskd {

namespace asio = boost::asio;

void name_this_thread(const std::string& name) noexcept {
    pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
}

namespace {

/// A thread that ran out of jobs looks for more this often before it sleeps: to wake a sleeping one costs whoever posts
/// several microseconds, more than a small job, and jobs come in bursts.
constexpr int looks_before_sleep = 50;

void run_until_out_of_work(asio::io_context& context) {
    while (context.run_one() != 0) {
        for (int looks = 0; looks < looks_before_sleep; ++looks) {
            if (context.poll_one() != 0) {
                looks = 0;
            } else {
                std::this_thread::yield();
            }
        }
    }
}

}  // namespace

// An io_context with threads of our own rather than asio::thread_pool, whose threads cannot be named.
struct ThreadPool::Impl {
    Impl(std::string pool_name, std::size_t concurrency, std::size_t most)
        : name(std::move(pool_name)), capacity(most), context(static_cast<int>(concurrency)) {}
    ~Impl() { join(); }
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;

    void join() {
        work.reset();
        for (auto& thread : threads)
            if (thread.joinable()) thread.join();
        joined.store(true, std::memory_order_relaxed);
    }

    const std::string name;
    const std::size_t capacity;
    std::atomic<std::size_t> pending{0};
    std::atomic<bool> joined{false};
    asio::io_context context;
    asio::executor_work_guard<asio::io_context::executor_type> work = asio::make_work_guard(context);
    std::vector<std::thread> threads;
};

ThreadPool::ThreadPool(std::string name, std::size_t threads, std::size_t capacity)
    : impl_(std::make_unique<Impl>(std::move(name), threads, capacity)) {
    if (threads == 0) throw std::invalid_argument("thread pool " + impl_->name + " without threads");
    for (std::size_t n = 0; n < threads; ++n)
        impl_->threads.emplace_back([impl = impl_.get(), n] {
            name_this_thread(impl->name + "-" + std::to_string(n));
            run_until_out_of_work(impl->context);
        });
}

ThreadPool::~ThreadPool() = default;

void ThreadPool::join() {
    impl_->join();
}

void ThreadPool::post(std::function<void()> job) {
    // Nobody would run it any more.
    if (impl_->joined.load(std::memory_order_relaxed))
        throw Error(ErrorKind::unavailable, ESHUTDOWN, "taskd", "thread pool " + impl_->name + " has ended");
    if (impl_->pending.fetch_add(1, std::memory_order_relaxed) >= impl_->capacity) {
        impl_->pending.fetch_sub(1, std::memory_order_relaxed);
        throw QueueFull("queue of thread pool " + impl_->name, impl_->capacity);
    }
    asio::post(impl_->context, [impl = impl_.get(), job = std::move(job)] {
        impl->pending.fetch_sub(1, std::memory_order_relaxed);
        try {
            job();
        } catch (...) {
            // A job that throws must not end the thread that the others need.
            spdlog::error("thread pool {}: a job threw: {}", impl->name, error_text(std::current_exception()));
        }
    });
}

std::size_t ThreadPool::threads() const noexcept {
    return impl_->threads.size();
}

}  // namespace taskd
