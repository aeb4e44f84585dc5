#pragma once

#include "core/counter.hpp"
#include "core/histogram.hpp"
#include "core/prompt_thread.hpp"
#include "http/awaitable.hpp"
#include "http/byte_budget.hpp"
#include "http/connection_budget.hpp"
#include "http/file_descriptor.hpp"
#include "http/response_writer.hpp"
#include "http/server.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <future>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace taskd::http {

/// What one thread counts, apart from other threads' numbers in memory: the cache line is written for every request.
struct alignas(64) Counters {
    Counter connections_accepted;
    Counter connections_refused;
    Counter accept_errors;
    Counter requests;
    std::array<Counter, 6> responses;
    Counter handler_failures;
    Counter timeouts;
    Counter tls_failures;
    Counter session_failures;
};

/// What one thread counts of one route.
struct RouteCounters {
    /// Above what a handler takes that answers from memory, up to the longest that one waits for a task.
    static constexpr std::array<std::chrono::nanoseconds, 13> bounds{
        std::chrono::microseconds(100), std::chrono::microseconds(500), std::chrono::milliseconds(1),
        std::chrono::milliseconds(5),   std::chrono::milliseconds(10),  std::chrono::milliseconds(50),
        std::chrono::milliseconds(100), std::chrono::milliseconds(500), std::chrono::seconds(1),
        std::chrono::seconds(2),        std::chrono::seconds(5),        std::chrono::seconds(30),
        std::chrono::seconds(300)};

    std::array<Counter, 6> responses;
    Histogram duration{bounds};
};

/// What a thread needs of a session, whatever stream that runs on. All calls come from the session's thread.
class Connection {
  public:
    using TimePoint = std::chrono::steady_clock::time_point;

    virtual ~Connection() = default;
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    /// Ends what the session waits for, if that has waited too long.
    virtual void expire(TimePoint now) = 0;
    /// Ends the session if it waits for a request; otherwise it ends after the response that it is about to give.
    virtual void finish() = 0;
    /// Ends the session's input and output at once.
    virtual void cut() = 0;

  protected:
    Connection() = default;
};

/// One thread with an io_context of its own, and the sessions that belong to it.
/// @thread  The thread itself, unless said otherwise.
class ServerThread {
  public:
    ServerThread(const ServerOptions& options, const Router& router, ByteBudget& bodies);
    ~ServerThread();
    ServerThread(const ServerThread&) = delete;
    ServerThread& operator=(const ServerThread&) = delete;

    const ServerOptions& options() const noexcept { return options_; }
    const Router& router() const noexcept { return router_; }
    ResponseWriter& writer() noexcept { return writer_; }
    ByteBudget& bodies() noexcept { return bodies_; }
    bool is_stopping() const noexcept { return stopping_; }
    net::io_context& context() noexcept { return context_; }

    /// @thread  Any.
    Counters& counters() noexcept { return counters_; }
    const Counters& counters() const noexcept { return counters_; }
    /// In the order of `Router::names`.
    /// @thread  Any.
    std::vector<RouteCounters>& route_counters() noexcept { return route_counters_; }
    const std::vector<RouteCounters>& route_counters() const noexcept { return route_counters_; }

    /// A connection that was accepted.
    struct Accepted {
        FileDescriptor socket;
        Peer peer;
        ConnectionBudget::Slot slot;
        std::shared_ptr<const TlsIdentity> identity;  ///< Null: without TLS.
    };

    /// Starts a session on a connected socket.
    /// @thread  Any.
    void adopt(Accepted accepted);

    /// Sessions enter and leave by themselves.
    std::list<Connection*>::iterator enter(Connection& connection);
    void leave(std::list<Connection*>::iterator entry);

    /// The life of the thread, in this order. All are the owner's to call, `post` is anybody's.
    void start(const std::string& name);
    void post(std::function<void()> work);
    void finish();                                    ///< Sessions end with the response that they are at.
    bool wait_until(Connection::TimePoint deadline);  ///< Whether the thread has nothing more to do.
    void cut();                                       ///< Sessions end now, but for handlers that wait.
    void join();                                      ///< Whatever still waits is not waited for.

  private:
    void run(const std::string& name);
    void go_on_after_exceptions(const std::function<void()>& run);
    void begin_session(Accepted accepted);
    void tick();

    const ServerOptions& options_;
    const Router& router_;
    ByteBudget& bodies_;  // all threads'
    Counters counters_;
    std::vector<RouteCounters> route_counters_;
    ResponseWriter writer_;
    PromptThread prompt_;
    std::list<Connection*> connections_;
    bool stopping_ = false;
    bool ticking_ = false;
    const std::chrono::milliseconds tick_interval_;
    std::promise<void> end_;
    std::future<void> ended_ = end_.get_future();
    std::optional<net::steady_timer> ticker_;  // reset before the io_context is destroyed
    // Sessions live in coroutine frames that the io_context owns: what they use is declared above it.
    net::io_context context_{1};
    net::executor_work_guard<net::io_context::executor_type> work_{context_.get_executor()};
    std::thread thread_;
};

}  // namespace taskd::http
