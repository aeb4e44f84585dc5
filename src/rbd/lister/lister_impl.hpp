#pragma once

#include "core/mutex.hpp"
#include "rbd/lister.hpp"
#include "rbd/lister/directory_index.hpp"
#include "rbd/lister/image_reader.hpp"
#include "rbd/lister/pool_map.hpp"
#include "rbd/lister/reader.hpp"
#include "rbd/lister/when_released.hpp"

#include <atomic>
#include <chrono>
#include <exception>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <taskd/error.hpp>

namespace taskd::rbd {

/// The lister behind its door. Its members belong to its thread, but for those that say otherwise.
struct Lister::Impl : std::enable_shared_from_this<Lister::Impl> {
    using Pools = std::shared_ptr<const PoolMap>;

    Impl(const std::shared_ptr<ceph::Cluster>& cluster, ceph::CommandSender& command_sender);

    void start();
    /// Ends what is under way and the thread. From any other thread.
    void stop();

    /// Takes a question, which must end by `answered`. Any thread. @throws QueueFull
    template <class Value>
    void take(Answered<Value> done, std::function<void(Answered<Value>)> question);

    /// The pools as they are now, or as they were known last when the monitors are slow; an error when nothing is
    /// known.
    void with_pools(std::function<void(Pools, std::exception_ptr)> then);
    /// The pool of that name. @throws Error of component "pool"
    static std::shared_ptr<const Pool> pool_named(const PoolMap& pools, const std::string& name);

    /// What the pools override of librbd's options; read when the last copy of `until` has gone.
    void read_options(const std::shared_ptr<const Pool>& pool, PoolOptions& options,
                      const std::shared_ptr<void>& until);
    /// Whether images of a namespace may be mirrored.
    void read_mirror_mode(const std::shared_ptr<const Pool>& pool, const std::string& ns,
                          std::function<void(int rc, std::uint32_t mode)> then);
    void look_at_mirroring();
    /// Any thread.
    void tell_mirroring(const MirroringHealth& health);

    /// A wait for the pools.
    struct PoolWait {
        explicit PoolWait(boost::asio::io_context& context) : patience(context) {}
        boost::asio::steady_timer patience;
        std::function<void(Pools, std::exception_ptr)> then;
    };
    void end_wait(const std::shared_ptr<PoolWait>& wait, const PoolSource::Answer& answer);
    void end_when_idle();

    /// Why a pool was not heard, in words.
    std::string problem_of(const std::string& pool, int rc) const;
    /// The same as an error: unavailable when it did not answer.
    std::exception_ptr error_of(const std::string& pool, int rc) const;
    Error refusal(const std::string& pool, int rc) const;

    const std::string user;                 ///< Who asks: "client.ceph-taskd".
    std::atomic<std::size_t> questions{0};  ///< Any thread.
    boost::asio::io_context context;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work;
    boost::asio::steady_timer idle_timer;
    const ImageOptions image_options;  // any thread
    ceph::CommandSender& sender;       // any thread
    PoolSource pools;
    Reader reader;
    DirectoryIndex index;
    std::list<std::shared_ptr<PoolWait>> waits;
    bool monitors_are_slow = false;

    Mutex mirroring_mutex;  ///< Any thread's, as what it guards.
    std::optional<MirroringHealth> mirroring TASKD_GUARDED_BY(mirroring_mutex);
    bool looks_at_mirroring TASKD_GUARDED_BY(mirroring_mutex) = false;
    std::chrono::steady_clock::time_point mirroring_looked_at TASKD_GUARDED_BY(mirroring_mutex);

    bool stopping = false;
    std::thread thread;
};

template <class Value>
void Lister::Impl::take(Answered<Value> done, std::function<void(Answered<Value>)> question) {
    constexpr std::size_t most_questions = 256;
    if (questions.fetch_add(1) >= most_questions) {
        questions.fetch_sub(1);
        throw QueueFull("questions about images", most_questions);
    }
    auto answered = [this, done = std::move(done)](Outcome<Value> outcome) {
        questions.fetch_sub(1);
        done(std::move(outcome));
    };
    boost::asio::post(context, [question = std::move(question), answered = std::move(answered)] {
        try {
            question(answered);
        } catch (...) {
            answered({{}, std::current_exception()});
        }
    });
}

/// Answers a list. Calls `done` once.
void answer_list(Lister::Impl& lister, ListRequest request, Answered<ImageList> done);

}  // namespace taskd::rbd
