#include "http/server_thread.hpp"

#include "core/thread_name.hpp"
#include "http/session.hpp"
#include "http/tls_stream.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include <sys/socket.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <spdlog/spdlog.h>

namespace taskd::http {

namespace {

template <typename Stream>
net::awaitable<void> serve(ServerThread& thread, Stream stream, Peer peer, ConnectionBudget::Slot slot) {
    // clang-tidy 14 sees a coroutine's body twice, and so a move before each use.
    // NOLINTBEGIN(bugprone-use-after-move)
    Session<Stream> session(thread, std::move(stream), std::move(peer));
    if constexpr (Session<Stream>::needs_handshake)
        if (!co_await session.greet()) co_return;
    if (slot.verdict() == ConnectionBudget::Verdict::serve) {
        co_await session.run();
        // NOLINTEND(bugprone-use-after-move)
    } else {
        auto response = error_response(503, "Too many connections");
        response.headers.emplace_back("Retry-After", "1");
        co_await session.refuse(std::move(response));
    }
}

/// Called when a session's coroutine has ended.
struct SessionEnd {
    Counters* counters;

    void operator()(const std::exception_ptr& failure) const {
        if (!failure) return;
        counters->session_failures.increase();
        spdlog::error("http: a session ended by an exception: {}", error_text(failure));
    }
};

/// Often enough that a time limit is kept to within a quarter of itself.
std::chrono::milliseconds tick_interval_for(const ServerOptions& options) {
    const auto shortest =
        std::min({options.header_timeout, options.body_timeout, options.write_timeout, options.idle_timeout});
    return std::clamp(shortest / 4, std::chrono::milliseconds(5), std::chrono::milliseconds(500));
}

}  // namespace

ServerThread::ServerThread(const ServerOptions& options, const Router& router, ByteBudget& bodies)
    : options_(options),
      router_(router),
      bodies_(bodies),
      route_counters_(router.names().size()),
      writer_(options.server_name),
      tick_interval_(tick_interval_for(options)) {
    ticker_.emplace(context_);
}

ServerThread::~ServerThread() {
    join();
    ticker_.reset();
}

void ServerThread::adopt(Accepted accepted) {
    net::post(context_, [this, accepted = std::move(accepted)]() mutable {
        if (!stopping_) begin_session(std::move(accepted));
    });
}

void ServerThread::begin_session(Accepted accepted) {
    auto& [socket, peer, slot, identity] = accepted;
    const int family = peer.kind == Peer::Kind::unix_socket ? AF_UNIX : AF_INET;  // IPv6 makes no difference from here
    StreamSocket stream(context_.get_executor());
    boost::system::error_code error;
    stream.assign(net::generic::stream_protocol(family, 0), socket.get(), error);
    if (!error) {
        socket.release();
        stream.non_blocking(true, error);
    }
    if (error) {
        counters_.session_failures.increase();
        spdlog::error("http: cannot serve {}: {}", peer.address, error.message());
        return;
    }
    const SessionEnd end{&counters_};
    if (identity)
        net::co_spawn(context_,
                      serve(*this, TlsStream(std::move(stream), std::move(identity)), std::move(peer), std::move(slot)),
                      end);
    else
        net::co_spawn(context_, serve(*this, PlainStream(std::move(stream)), std::move(peer), std::move(slot)), end);
}

std::list<Connection*>::iterator ServerThread::enter(Connection& connection) {
    connections_.push_front(&connection);
    if (!ticking_) tick();
    return connections_.begin();
}

void ServerThread::leave(std::list<Connection*>::iterator entry) {
    connections_.erase(entry);
    if (stopping_ && connections_.empty() && ticker_) ticker_->cancel();
}

void ServerThread::tick() {
    ticking_ = true;
    ticker_->expires_after(tick_interval_);
    ticker_->async_wait([this](const boost::system::error_code& error) {
        if (error || connections_.empty()) {
            ticking_ = false;
            return;
        }
        const auto now = std::chrono::steady_clock::now();
        for (auto* connection : connections_) connection->expire(now);
        prompt_.look();
        tick();
    });
}

void ServerThread::start(const std::string& name) {
    thread_ = std::thread([this, name] { run(name); });
}

void ServerThread::run(const std::string& name) {
    name_this_thread(name);
    if (options_.real_time && !prompt_.begin(std::max(1U, options_.threads)))
        spdlog::info("{} runs among all others: it is not allowed to run before them", name);
    go_on_after_exceptions([this] { context_.run(); });
    end_.set_value();
}

void ServerThread::go_on_after_exceptions(const std::function<void()>& run) {
    for (bool ended = false; !ended;) {
        try {
            run();
            ended = true;
        } catch (...) {
            counters_.session_failures.increase();
            spdlog::error("http: goes on after an exception: {}", error_text(std::current_exception()));
        }
    }
}

void ServerThread::post(std::function<void()> work) {
    net::post(context_, std::move(work));
}

void ServerThread::finish() {
    post([this] {
        stopping_ = true;
        for (auto* connection : connections_) connection->finish();
        if (connections_.empty()) ticker_->cancel();
        work_.reset();
    });
}

bool ServerThread::wait_until(Connection::TimePoint deadline) {
    return ended_.wait_until(deadline) == std::future_status::ready;
}

void ServerThread::cut() {
    post([this] {
        for (auto* connection : connections_) connection->cut();
    });
}

void ServerThread::join() {
    if (!thread_.joinable()) return;
    context_.stop();
    thread_.join();
    // What came after the thread had ended, such as a connection accepted at the last moment, holds a client's socket
    // until it is run.
    context_.restart();
    go_on_after_exceptions([this] { context_.poll(); });
}

}  // namespace taskd::http
