#include "daemon/options.hpp"

#include "daemon/cluster_words.hpp"
#include "daemon/version.hpp"
#include "http/cors_policy.hpp"
#include "http/default_endpoint.hpp"

#include <algorithm>
#include <sstream>

#include <CLI/CLI.hpp>
#include <boost/asio/ip/address.hpp>
#include <taskd/error.hpp>

namespace taskd::daemon {
namespace {

constexpr const char* description =
    "ceph-taskd runs operations on a Ceph cluster as tasks, in the background, and publishes the list of them.\n\n"
    "Examples:\n"
    "  ceph-taskd                                   cluster of /etc/ceph/ceph.conf, socket of ceph-task\n"
    "  ceph-taskd -c ./ceph.conf --socket ./taskd.sock --listen 127.0.0.1:0\n"
    "  ceph-taskd --tls-certificate taskd.crt --tls-key taskd.key --listen '[::1]:8280' --listen 127.0.0.1:8280\n"
    "  curl --unix-socket /run/ceph-taskd/ceph-taskd.sock http://localhost/api/summary\n"
    "  ceph-taskd caps --help                       what its Ceph user needs, and whether it has it\n"
    "  ceph-taskd user --help                       who may log in, where the cluster has no dashboard\n"
    "  ceph-taskd role --help                       what they may do\n";

constexpr const char* default_listen = "127.0.0.1:8280";

/// Where nobody is asked who they are, nobody else may reach the daemon.
void require_loopback(const http::Endpoint& endpoint) {
    if (endpoint.kind == http::Endpoint::Kind::unix_socket) return;
    boost::system::error_code error;
    const auto address = boost::asio::ip::make_address(endpoint.host, error);
    if (endpoint.host != "localhost" && (error || !address.is_loopback()))
        throw Finished{2, "ceph-taskd: --listen " + endpoint.text() +
                              ": only loopback addresses with --auth none, which lets everybody do everything"};
}

struct Words {
    ClusterWords cluster;
    std::vector<std::string> listen{default_listen};
    std::string socket{http::default_socket_path};
    double grace_s = 10;
    double stall_s = 10;
    std::vector<std::string> trusted_proxies{};
    std::vector<std::string> cors_origins{};
    std::vector<std::string> metrics_open{};
    std::string auth = "auto";
    bool no_listen = false;
    bool no_journal = false;
};

void define_server_options(CLI::App& app, Options& options, Words& words) {
    auto* group = app.add_option_group("Server");
    group
        ->add_option("--listen", words.listen,
                     "HOST:PORT to listen on, may be repeated; an IPv6 address stands in brackets; port "
                     "0 lets the system choose; with a certificate http://HOST:PORT is one without TLS")
        ->envname("TASKD_LISTEN")
        ->capture_default_str();
    group->add_flag("--no-listen", words.no_listen, "Only the Unix socket");
    group->add_option("--socket", words.socket, "Path of the Unix socket; empty for none")
        ->envname("TASKD_SOCKET")
        ->capture_default_str();
    group
        ->add_option("--auth", words.auth,
                     "Whose users log in over TCP: `dashboard`, those of the cluster's dashboard; `own`, those of "
                     "`ceph-taskd user`; `auto`, the dashboard's where it has any, else our own; `none`, nobody is "
                     "asked, everybody on this host may do everything")
        ->capture_default_str()
        ->check(CLI::IsMember({"auto", "dashboard", "own", "none"}));
    group
        ->add_option("--request-rate", options.request_rate.per_second,
                     "Requests a second that each user may send over TCP, after a pause twice as many at once; more "
                     "are answered with 429; 0: no limit")
        ->capture_default_str()
        ->check(CLI::Range(0.0, 1e6));
    group->add_flag("--audit-to-cluster", options.audit_to_cluster,
                    "Write who changed what to the cluster's log as well (`ceph log last`), not only to the daemon's");
    group->add_option("--http-threads", options.http_threads, "Threads that serve requests")
        ->capture_default_str()
        ->check(CLI::Range(1, 64));
}

void define_tls_options(CLI::App& app, Options& options) {
    auto* group = app.add_option_group("TLS", "For all of --listen; read again at SIGHUP");
    auto* certificate = group->add_option("--tls-certificate", options.tls.certificate_file,
                                          "PEM file of the certificate and of those between it and its root");
    auto* key = group->add_option("--tls-key", options.tls.key_file, "PEM file of its key, without passphrase");
    certificate->needs(key);
    key->needs(certificate);
    group
        ->add_flag("--tls-from-cluster", options.tls.cluster,
                   "Read both from the cluster's config-keys ceph-taskd/crt and ceph-taskd/key")
        ->excludes(certificate)
        ->excludes(key);
}

void define_network_options(CLI::App& app, Options& options, Words& words) {
    auto* group = app.add_option_group("Network");
    group->add_option("--public-url", options.public_url,
                      "URL under which clients reach this daemon, for redirects of a standby");
    group->add_option(
        "--trusted-proxy", words.trusted_proxies,
        "Address or network (10.0.0.0/8) of proxies whose X-Forwarded-For, -Proto and -Host are believed; "
        "may be repeated");
    group->add_option("--cors-origin", words.cors_origins,
                      "https://HOST[:PORT] of another site whose pages may call, by token, not by cookie; may be "
                      "repeated");
    group->add_option(
        "--metrics-open", words.metrics_open,
        "Address or network (10.0.0.0/8) whose callers read /metrics without login, as those of this host "
        "do; may be repeated");
    group
        ->add_option("--connections", options.connections,
                     "Connections at a time; one too many is answered with 503. As many files as that, and 500, must "
                     "the process be allowed to have open")
        ->capture_default_str()
        ->check(CLI::Range(1, 1'000'000));
    group
        ->add_option("--connections-per-client", options.connections_per_client,
                     "The same for one IPv4 address or IPv6 network of 64 bits; 0: no limit")
        ->capture_default_str()
        ->check(CLI::Range(0, 1'000'000));
}

void define_task_options(CLI::App& app, Options& options, Words& words) {
    auto* group = app.add_option_group("Tasks");
    group->add_option("--workers", options.dispatcher.workers, "Worker processes; 0 runs librbd in the daemon itself")
        ->capture_default_str()
        ->check(CLI::Range(0, 64));
    group->add_option("--threads", options.dispatcher.threads_per_worker, "Operations at a time in each worker")
        ->capture_default_str()
        ->check(CLI::Range(1, 256));
    group->add_option("--per-pool", options.dispatcher.queue.per_pool, "Operations at a time on one pool")
        ->capture_default_str()
        ->check(CLI::Range(1, 1024));
    group->add_option("--queue", options.dispatcher.queue.capacity, "Tasks that may wait; more are refused with 503")
        ->capture_default_str()
        ->check(CLI::Range(1, 10'000'000));
    group->add_flag("--no-journal", words.no_journal,
                    "Keep tasks in memory only: a crash loses them, and there is no standby");
    group->add_option("--stall-after", words.stall_s, "Seconds without progress after which a task is marked stalled")
        ->capture_default_str()
        ->check(CLI::Range(0.1, 86400.0));
    group->add_option("--grace", words.grace_s, "Seconds that running tasks get at SIGTERM")
        ->capture_default_str()
        ->check(CLI::Range(0.0, 86400.0));
}

Options::Auth auth_of(const std::string& word) {
    if (word == "dashboard") return Options::Auth::dashboard;
    if (word == "own") return Options::Auth::own;
    return word == "none" ? Options::Auth::none : Options::Auth::by_cluster;
}

std::chrono::milliseconds to_milliseconds(double seconds) {
    return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
}

/// With a certificate TLS is what goes without saying.
http::Endpoint tcp_endpoint(const std::string& text, const TlsSource& tls) {
    auto endpoint = http::Endpoint::parse(text);
    if (endpoint.kind != http::Endpoint::Kind::tcp) throw BadRequest("endpoint", "use --socket for '" + text + "'");
    if (endpoint.tls && !tls.is_given())
        throw BadRequest("endpoint", "'" + text + "' needs --tls-certificate and --tls-key, or --tls-from-cluster");
    endpoint.tls = tls.is_given() && text.find("http://") != 0;
    return endpoint;
}

void add_endpoints(Options& options, const Words& words) {
    if (!words.socket.empty()) options.listen.push_back(http::Endpoint::unix_socket(words.socket));
    if (!words.no_listen)
        for (const auto& text : words.listen) options.listen.push_back(tcp_endpoint(text, options.tls));
    if (options.auth == Options::Auth::none)
        for (const auto& endpoint : options.listen) require_loopback(endpoint);
    if (options.listen.empty()) throw Finished{2, "ceph-taskd: neither --socket nor --listen: nobody could reach it"};
}

http::Network metrics_network(const std::string& text) {
    try {
        return http::Network::parse(text);
    } catch (const BadRequest& mistake) {
        throw BadRequest("metrics-open", mistake.what());
    }
}

/// What a redirect may put a path behind.
std::string checked_url(std::string url) {
    if (url.empty()) return url;
    while (url.ends_with('/')) url.pop_back();
    const auto begin = url.find("://");
    const bool has_scheme = url.starts_with("http://") || url.starts_with("https://");
    const bool is_clean = std::all_of(url.begin(), url.end(), [](unsigned char c) {
        return c > ' ' && c < 0x7F && c != '?' && c != '#' && c != '"' && c != '<' && c != '>';
    });
    if (!has_scheme || url.size() == begin + 3 || url[begin + 3] == '/' || !is_clean)
        throw BadRequest("public-url", "expected http://HOST[:PORT][/PATH] or https://…: '" + url + "'");
    return url;
}

/// The option that a mistake was made in.
std::string option_of(const std::string& field) {
    if (field == "network") return "--trusted-proxy";
    if (field == "metrics-open") return "--metrics-open";
    if (field == "origin") return "--cors-origin";
    if (field == "public-url") return "--public-url";
    return "--listen";
}

}  // namespace

Options parse_options(int argc, const char* const* argv) {
    CLI::App app(description, "ceph-taskd");
    app.set_version_flag("--version", "ceph-taskd " + std::string(version));
    app.set_config("--config", "", "File of these options, one `name=value` a line");
    Options options;
    Words words;
    words.cluster.define(app);
    define_server_options(app, options, words);
    define_tls_options(app, options);
    define_network_options(app, options, words);
    define_task_options(app, options, words);
    app.add_option("--log-level", options.log_level, "trace, debug, info, warn or error")
        ->capture_default_str()
        ->check(CLI::IsMember({"trace", "debug", "info", "warn", "error"}));
    app.add_option(
           "--nice", options.nice,
           "Added to the nice value of the front, which is waited for and takes little; its workers keep that of "
           "whoever starts the daemon. As it is where the system does not allow it")
        ->capture_default_str()
        ->check(CLI::Range(-20, 0));
    app.add_flag(
        "!--no-real-time", options.real_time,
        "Serve the HTTP threads among all others. By default they run before all that are no real-time threads, "
        "where the system allows it, while they take less than half of a core");
    app.add_flag("--core-files", options.core_files,
                 "Let the daemon and its workers write core files when they crash; a core file holds the keys of the "
                 "cluster");
    try {
        app.parse(argc, argv);
        options.cluster = words.cluster.options();
        options.pool = words.cluster.pool();
        options.auth = auth_of(words.auth);
        options.request_rate.at_once = 2 * options.request_rate.per_second;
        options.use_journal = !words.no_journal;
        options.grace = to_milliseconds(words.grace_s);
        options.dispatcher.stall_after = to_milliseconds(words.stall_s);
        add_endpoints(options, words);
        options.public_url = checked_url(options.public_url);
        for (const auto& text : words.trusted_proxies) options.trusted_proxies.push_back(http::Network::parse(text));
        for (const auto& text : words.metrics_open) options.metrics_open.push_back(metrics_network(text));
        for (const auto& text : words.cors_origins)
            options.cors_origins.push_back(http::CorsPolicy::parse_origin(text));
    } catch (const CLI::ParseError& end) {
        std::ostringstream out;
        std::ostringstream err;
        const int code = app.exit(end, out, err);
        throw Finished{code == 0 ? 0 : 2, code == 0 ? out.str() : "ceph-taskd: " + std::string(end.what())};
    } catch (const BadRequest& mistake) {
        throw Finished{2, "ceph-taskd: " + option_of(mistake.field()) + ": " + std::string(mistake.what())};
    }
    return options;
}

}  // namespace taskd::daemon
