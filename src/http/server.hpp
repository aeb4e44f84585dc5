#pragma once

#include "core/histogram.hpp"
#include "http/cors_policy.hpp"
#include "http/endpoint.hpp"
#include "http/request_reader.hpp"
#include "http/router.hpp"
#include "http/tls_identity.hpp"
#include "http/trusted_proxies.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <sys/types.h>

namespace taskd::http {

struct ServerOptions {
    std::vector<Endpoint> listen{};
    std::shared_ptr<const TlsIdentity> identity{};  ///< For the endpoints with TLS; may be replaced later.
    unsigned threads = 1;
    bool real_time = false;                      ///< Whether they are PromptThreads.
    std::string server_name = "Ceph-Dashboard";  ///< Value of the Server header.

    ReadLimits limits{};             ///< Beyond: 431, 413.
    std::size_t connections = 2048;  ///< Beyond: 503, and the connection is closed.
    /// The same for one TCP client: an IPv4 address, or the 64 bits of an IPv6 one that are its network; 0: no limit.
    /// Proxies that are trusted have none.
    std::size_t connections_per_address = 1024;
    /// All bodies that are on their way, together; those up to 16 KiB do not count. Beyond: 503.
    std::size_t bodies_bytes = 64 * 1024 * 1024;

    /// From the start of a new connection (its TLS handshake included), or from the first byte of a later request, to
    /// the end of the header. Beyond: 408.
    std::chrono::milliseconds header_timeout{10'000};
    std::chrono::milliseconds body_timeout{30'000};   ///< From the end of the header to that of the body. Beyond: 408.
    std::chrono::milliseconds write_timeout{30'000};  ///< For one whole response; then the connection is cut.
    std::chrono::milliseconds idle_timeout{60'000};   ///< Between two requests; then the connection is closed.

    TrustedProxies proxies{};
    CorsPolicy cors{};

    mode_t unix_mode = 0660;                      ///< Permissions of a Unix socket's file.
    int backlog = 512;                            ///< Connections that the kernel holds until they are accepted.
    std::chrono::milliseconds accept_retry{100};  ///< Pause after an accept that failed (no descriptors left).
};

struct Statistics {
    std::uint64_t connections_open = 0;      ///< Now; the others are totals.
    std::uint64_t body_bytes = 0;            ///< Of large bodies on their way; now as well.
    std::uint64_t connections_accepted = 0;  ///< Those that are served.
    std::uint64_t connections_refused = 0;   ///< By a limit.
    std::uint64_t accept_errors = 0;
    std::uint64_t requests = 0;                ///< Whole ones, whatever the answer was.
    std::array<std::uint64_t, 6> responses{};  ///< By class: [2] counts 2xx.
    std::uint64_t handler_failures = 0;        ///< Exceptions out of handlers, answered with 500.
    std::uint64_t timeouts = 0;                ///< Connections ended by a time limit other than the idle one.
    std::uint64_t tls_failures = 0;            ///< Connections without a handshake that succeeded.
    std::uint64_t session_failures = 0;        ///< Faults of the server itself; always 0 is what to expect.
};

/// What became of the requests of one route.
struct RouteStatistics {
    RouteName name;
    std::array<std::uint64_t, 6> responses{};  ///< By class: [2] counts 2xx.
    /// From the end of a request to its answer, ready to be sent. Not of those that were refused before their end.
    HistogramSnapshot duration;
};

/// An HTTP/1.1 server with keep-alive, on TCP and Unix sockets. Each connection belongs to one of its threads and is
/// served one request at a time, in order.
/// @thread  Any, except `start` and the destructor (the owner's). Never from a handler.
class Server {
  public:
    /// Binds and listens: clients can connect from here on and are served after `start`.
    /// @throws Error (unavailable): "listen on 127.0.0.1:80: Permission denied".
    /// @throws std::invalid_argument for an endpoint with TLS when there is no identity.
    Server(ServerOptions options, Router router);
    /// Stops without grace.
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    /// Starts the threads ("taskd-http-0", …). Once.
    void start();

    /// Closes the listening sockets and idle connections, lets requests in flight end for up to `grace`, then cuts the
    /// rest and joins the threads. A handler that still waits then is destroyed. Idempotent.
    void stop(std::chrono::milliseconds grace);

    /// New connections get this one; those that are there keep theirs.
    /// @param identity  Not null.
    void replace_identity(std::shared_ptr<const TlsIdentity> identity);

    /// As bound: with the ports that the system chose, in the order of the options.
    const std::vector<Endpoint>& endpoints() const noexcept;

    Statistics statistics() const;
    /// Of each route, and first of what matched none or was refused before that could be known.
    std::vector<RouteStatistics> route_statistics() const;

  private:
    struct Impl;

    std::unique_ptr<Impl> impl_;
};

}  // namespace taskd::http
