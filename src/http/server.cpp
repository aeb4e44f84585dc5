#include "http/server.hpp"

#include "core/mutex.hpp"
#include "http/connection_budget.hpp"
#include "http/listening_socket.hpp"
#include "http/server_thread.hpp"

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <exception>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <spdlog/spdlog.h>
#include <taskd/error.hpp>

namespace taskd::http {

namespace {

/// What accept(2) says about one connection that failed before it was taken, not about this process.
bool concerns_one_connection(int code) noexcept {
    constexpr std::array codes{EINTR,  ECONNABORTED, EPROTO,     ENETDOWN,    ENOPROTOOPT, EHOSTDOWN,
                               ENONET, EHOSTUNREACH, EOPNOTSUPP, ENETUNREACH, EPERM};
    return std::find(codes.begin(), codes.end(), code) != codes.end();
}

/// What connections are counted by: the address, of IPv6 without the half that a client chooses by itself; empty for
/// those that are not counted.
std::string counted_address(const Peer& peer, const TrustedProxies& proxies) {
    if (peer.kind == Peer::Kind::unix_socket || proxies.trusts(peer)) return {};
    const auto address = read_ip_address(peer.address);
    if (!address) return peer.address.substr(0, peer.address.rfind(':'));
    const bool is_ipv6 = peer.address.starts_with('[');
    return {reinterpret_cast<const char*>(address->data()), is_ipv6 ? address->size() / 2 : address->size()};
}

}  // namespace

struct Server::Impl {
    /// A listening socket and what the first thread waits on it with; that is there while the thread is.
    struct Listener {
        Listener(const Endpoint& endpoint, const ServerOptions& options)
            : socket(endpoint, options.backlog, options.unix_mode) {}

        ListeningSocket socket;
        std::optional<net::posix::stream_descriptor> descriptor;
        std::optional<net::steady_timer> retry;
        bool closing = false;
        bool failing = false;

        void close();
    };

    Impl(ServerOptions server_options, Router server_router);

    net::awaitable<void> accept_from(Listener& listener);
    bool accept_some(Listener& listener);
    void take(FileDescriptor socket, const Endpoint& listening);
    std::shared_ptr<const TlsIdentity> current_identity();
    void stop(std::chrono::milliseconds grace);

    const ServerOptions options;
    const Router router;
    ConnectionBudget budget;
    ByteBudget bodies;
    std::vector<std::unique_ptr<Listener>> listeners;
    std::vector<Endpoint> endpoints;
    std::size_t next_thread = 0;  // the first thread's
    Mutex identity_mutex;
    std::shared_ptr<const TlsIdentity> identity TASKD_GUARDED_BY(identity_mutex);
    Mutex stop_mutex;
    bool started = false;
    bool stopped TASKD_GUARDED_BY(stop_mutex) = false;
    std::vector<std::unique_ptr<ServerThread>> threads;
};

Server::Impl::Impl(ServerOptions server_options, Router server_router)
    : options(std::move(server_options)),
      router(std::move(server_router)),
      budget(options.connections, options.connections_per_address),
      bodies(options.bodies_bytes),
      identity(options.identity) {
    for (const auto& endpoint : options.listen) {
        if (endpoint.tls && !options.identity)
            throw std::invalid_argument("listen on " + endpoint.url() + ": there is no certificate");
        listeners.push_back(std::make_unique<Listener>(endpoint, options));
        endpoints.push_back(listeners.back()->socket.endpoint());
    }
    for (unsigned index = 0; index < std::max(1U, options.threads); ++index)
        threads.push_back(std::make_unique<ServerThread>(options, router, bodies));
}

void Server::Impl::Listener::close() {
    closing = true;
    if (descriptor) descriptor->release();  // ends the wait; the descriptor is `socket`'s to close
    if (retry) retry->cancel();
    socket.close();
}

net::awaitable<void> Server::Impl::accept_from(Listener& listener) {
    while (!listener.closing) {
        boost::system::error_code error;
        co_await listener.descriptor->async_wait(net::posix::stream_descriptor::wait_read,
                                                 net::redirect_error(net::use_awaitable, error));
        if (listener.closing) co_return;
        if (!error && accept_some(listener)) continue;
        // Out of descriptors or memory: trying at once would spin, the waiting connection being still there.
        listener.retry->expires_after(options.accept_retry);
        co_await listener.retry->async_wait(net::redirect_error(net::use_awaitable, error));
    }
}

/// @returns  Whether the next one may be waited for at once.
bool Server::Impl::accept_some(Listener& listener) {
    constexpr int most_at_once = 64;
    auto& counters = threads.front()->counters();
    for (int count = 0; count < most_at_once; ++count) {
        FileDescriptor socket(::accept4(listener.socket.descriptor(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
        const int code = errno;
        if (socket) {
            listener.failing = false;
            take(std::move(socket), listener.socket.endpoint());
            continue;
        }
        if (code == EAGAIN || code == EWOULDBLOCK) return true;
        counters.accept_errors.increase();
        if (concerns_one_connection(code)) continue;
        if (!std::exchange(listener.failing, true))
            spdlog::error("http: accept on {}: {}; trying again every {} ms", listener.socket.endpoint().text(),
                          std::generic_category().message(code), options.accept_retry.count());
        return false;
    }
    return true;
}

void Server::Impl::take(FileDescriptor socket, const Endpoint& listening) {
    auto peer = peer_of(socket.get(), listening);
    auto slot = budget.take(counted_address(peer, options.proxies));
    auto& counters = threads.front()->counters();
    if (slot.verdict() == ConnectionBudget::Verdict::serve)
        counters.connections_accepted.increase();
    else
        counters.connections_refused.increase();
    if (slot.verdict() == ConnectionBudget::Verdict::drop) return;
    if (peer.kind == Peer::Kind::tcp) {
        const int on = 1;
        ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    } else {
        // So that a long list goes out at once: these buffers do not grow by themselves, and a client that has to read
        // before the rest is written waits for both processes to be run. Cut to the system's wmem_max.
        const int bytes = 1 << 20;
        ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
    }
    auto& thread = *threads[next_thread];
    next_thread = (next_thread + 1) % threads.size();
    thread.adopt({std::move(socket), std::move(peer), std::move(slot),
                  listening.tls ? current_identity() : std::shared_ptr<const TlsIdentity>()});
}

std::shared_ptr<const TlsIdentity> Server::Impl::current_identity() {
    const MutexLock lock(identity_mutex);
    return identity;
}

void Server::Impl::stop(std::chrono::milliseconds grace) {
    const MutexLock lock(stop_mutex);
    if (std::exchange(stopped, true)) return;
    if (!started) {
        for (auto& listener : listeners) listener->close();
        return;
    }
    threads.front()->post([this] {
        for (auto& listener : listeners) listener->close();
    });
    for (auto& thread : threads) thread->finish();

    const auto all_ended_by = [this](std::chrono::steady_clock::time_point deadline) {
        return std::all_of(threads.begin(), threads.end(),
                           [deadline](const auto& thread) { return thread->wait_until(deadline); });
    };
    constexpr std::chrono::milliseconds unwinding{250};
    if (!all_ended_by(std::chrono::steady_clock::now() + grace)) {
        for (auto& thread : threads) thread->cut();
        if (!all_ended_by(std::chrono::steady_clock::now() + unwinding))
            spdlog::warn("http: stopping although some requests have not been answered");
    }
    for (auto& thread : threads) thread->join();
    for (auto& listener : listeners) {
        listener->descriptor.reset();
        listener->retry.reset();
    }
}

Server::Server(ServerOptions options, Router router)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(router))) {}

Server::~Server() {
    stop(std::chrono::milliseconds(0));
}

void Server::start() {
    assert(!impl_->started && "a server is started once");
    impl_->started = true;
    auto& context = impl_->threads.front()->context();
    for (auto& listener : impl_->listeners) {
        listener->descriptor.emplace(context, listener->socket.descriptor());
        listener->retry.emplace(context);
        net::co_spawn(context, impl_->accept_from(*listener), [](const std::exception_ptr& failure) {
            if (failure) spdlog::critical("http: no longer accepting: {}", error_text(failure));
        });
    }
    for (std::size_t index = 0; index < impl_->threads.size(); ++index)
        impl_->threads[index]->start("taskd-http-" + std::to_string(index));
}

void Server::stop(std::chrono::milliseconds grace) {
    impl_->stop(grace);
}

void Server::replace_identity(std::shared_ptr<const TlsIdentity> identity) {
    const MutexLock lock(impl_->identity_mutex);
    impl_->identity = std::move(identity);
}

const std::vector<Endpoint>& Server::endpoints() const noexcept {
    return impl_->endpoints;
}

Statistics Server::statistics() const {
    Statistics sum;
    sum.connections_open = impl_->budget.served();
    sum.body_bytes = impl_->bodies.taken();
    for (const auto& thread : impl_->threads) {
        const auto& counters = thread->counters();
        sum.connections_accepted += counters.connections_accepted.value();
        sum.connections_refused += counters.connections_refused.value();
        sum.accept_errors += counters.accept_errors.value();
        sum.requests += counters.requests.value();
        for (std::size_t index = 0; index < sum.responses.size(); ++index)
            sum.responses[index] += counters.responses[index].value();
        sum.handler_failures += counters.handler_failures.value();
        sum.timeouts += counters.timeouts.value();
        sum.tls_failures += counters.tls_failures.value();
        sum.session_failures += counters.session_failures.value();
    }
    return sum;
}

std::vector<RouteStatistics> Server::route_statistics() const {
    std::vector<RouteStatistics> all;
    const auto& names = impl_->router.names();
    for (std::size_t number = 0; number < names.size(); ++number) {
        auto& sum = all.emplace_back(RouteStatistics{names[number], {}, {}});
        for (const auto& thread : impl_->threads) {
            const auto& counters = thread->route_counters()[number];
            for (std::size_t index = 0; index < sum.responses.size(); ++index)
                sum.responses[index] += counters.responses[index].value();
            if (thread == impl_->threads.front())
                sum.duration = counters.duration.look();
            else
                sum.duration += counters.duration.look();
        }
    }
    return all;
}

}  // namespace taskd::http
