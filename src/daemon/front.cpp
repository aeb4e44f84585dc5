#include "daemon/front.hpp"

#include "api/routes.hpp"
#include "daemon/caps_watch.hpp"
#include "daemon/file_limit.hpp"
#include "daemon/heap_trim.hpp"
#include "daemon/lifecycle.hpp"
#include "daemon/version.hpp"
#include "http/client.hpp"
#include "http/server.hpp"

#include <optional>

#include <spdlog/spdlog.h>
#include <taskd/error.hpp>

namespace taskd::daemon {
namespace {

/// How long requests in flight may take at the end: longer than the longest time that one waits for its task.
constexpr std::chrono::milliseconds http_grace{6'000};
/// Start-up need not wait for a role; that it does, a little, saves callers the first 503.
constexpr std::chrono::milliseconds settle{5'000};
/// The start mostly ends within this, and has the processors for itself so long.
constexpr std::chrono::milliseconds alone{1'000};

http::ServerOptions server_options(const Options& options, const std::shared_ptr<ceph::Cluster>& cluster) {
    http::ServerOptions server;
    server.listen = options.listen;
    server.threads = options.http_threads;
    server.real_time = options.real_time;
    server.proxies = http::TrustedProxies(options.trusted_proxies);
    server.cors = http::CorsPolicy(options.cors_origins);
    server.connections = within_file_limit(options.connections);
    server.connections_per_address = options.connections_per_client;
    if (options.tls.is_given()) server.identity = load_tls_identity(options.tls, cluster);
    return server;
}

/// The options of those who are to count.
Options counting(Options options, api::Meters& meters) {
    options.tasks.observer = &meters.tasks;
    options.journal.meter = meters.journal;
    return options;
}

/// An address to listen on that stands for all of a host's: nobody can be sent there.
bool is_wildcard(const http::Endpoint& endpoint) {
    return endpoint.host == "0.0.0.0" || endpoint.host == "::";
}

/// Where a standby sends clients: what it was told to say, else the first TCP address it listens on.
std::string public_url(const Options& options, const std::vector<http::Endpoint>& endpoints) {
    if (!options.public_url.empty()) return options.public_url;
    for (const auto& endpoint : endpoints)
        if (endpoint.kind == http::Endpoint::Kind::tcp && !is_wildcard(endpoint)) return endpoint.url();
    return {};
}

}  // namespace

struct Front::Impl {
    Impl(const Options& given, std::shared_ptr<ceph::Cluster> cluster, const rbd::OperationRegistry& registry,
         std::vector<std::string> worker_command)
        : meters(make_meters(given, registry)),
          options(counting(given, *meters)),
          server(
              server_options(options, cluster),
              api::make_router(api::Access{[this] { return standing(); }, [this] { return caps->report(); }, meters})) {
        lifecycle.emplace(options, cluster, registry, std::move(worker_command),
                          public_url(options, server.endpoints()));
        lifecycle->wait_until_settled(alone);
        caps.emplace(options, std::move(cluster));
        lifecycle->wait_until_settled(settle - alone);
        server.start();
    }
    ~Impl() { server.stop(std::chrono::milliseconds(0)); }

    api::Access::Standing standing() const { return lifecycle->standing(); }
    std::shared_ptr<api::Meters> make_meters(const Options& given, const rbd::OperationRegistry& registry) const {
        auto made = std::make_shared<api::Meters>(api::counted_task_names(registry));
        made->http = [this] { return server.statistics(); };
        made->routes = [this] { return server.route_statistics(); };
        made->version = version;
        made->readers = api::MetricsReaders(given.metrics_open);
        return made;
    }

    const std::shared_ptr<api::Meters> meters;  // outlives every task
    const Options options;
    // The server's port is in the lifecycle's URL, so it is bound first; it serves only once the lifecycle is there,
    // and is stopped before that goes.
    http::Server server;
    std::optional<CapsWatch> caps;
    std::optional<Lifecycle> lifecycle;
    HeapTrim heap_trim;
};

Front::Front(const Options& options, std::shared_ptr<ceph::Cluster> cluster, const rbd::OperationRegistry& registry,
             std::vector<std::string> worker_command)
    : impl_(std::make_unique<Impl>(options, std::move(cluster), registry, std::move(worker_command))) {}

Front::~Front() = default;

const std::vector<http::Endpoint>& Front::endpoints() const noexcept {
    return impl_->server.endpoints();
}

bool Front::is_serving() const {
    constexpr std::chrono::milliseconds patience{2'000};
    try {
        http::Client client(impl_->server.endpoints().front(), http::Client::usual_max_body_bytes, {.verify = false});
        return client.request("GET", "/healthz", {}, {}, patience).status == 200;
    } catch (const Error&) {
        return false;
    }
}

void Front::reload_tls() {
    const auto& options = impl_->options;
    if (!options.tls.is_given()) {
        spdlog::info("tls: there is no certificate to be read again");
        return;
    }
    try {
        // A handle of its own: the one of the start may have been fenced and replaced since.
        const auto cluster = options.tls.cluster ? ceph::Cluster::connect(options.cluster) : nullptr;
        impl_->server.replace_identity(load_tls_identity(options.tls, cluster));
    } catch (const std::exception& error) {
        spdlog::error("tls: the old certificate stays in use: {}", error.what());
    }
}

void Front::drain() {
    impl_->server.stop(http_grace);
    impl_->lifecycle->drain();
}

}  // namespace taskd::daemon
