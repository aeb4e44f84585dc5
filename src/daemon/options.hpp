#pragma once

#include "api/request_rate.hpp"
#include "ceph/journal.hpp"
#include "ceph/options.hpp"
#include "core/priority.hpp"
#include "daemon/tls_setup.hpp"
#include "http/endpoint.hpp"
#include "http/network.hpp"
#include "worker/dispatcher.hpp"

#include <chrono>
#include <string>
#include <vector>

#include <taskd/task_manager.hpp>

namespace taskd::daemon {

/// How the daemon is to run: the command line, the environment and the configuration file, checked.
struct Options {
    ceph::ClusterOptions cluster;
    std::vector<http::Endpoint> listen;
    TlsSource tls;            ///< Given when one of `listen` has TLS.
    std::string pool;         ///< Empty: the cluster's rbd_default_pool.
    bool use_journal = true;  ///< False: tasks live in memory only, and there is no standby.
    ceph::JournalOptions journal;
    TaskManagerOptions tasks;
    /// Where a standby sends clients, without a '/' at its end; empty: the first TCP address that is one of a host.
    std::string public_url;
    worker::DispatcherOptions dispatcher;
    std::vector<http::Network> trusted_proxies;
    std::vector<std::string> cors_origins;
    std::vector<http::Network> metrics_open;  ///< Who may read /metrics without login, beside this host.
    std::size_t connections = 2048;
    std::size_t connections_per_client = 1024;
    enum class Auth {
        by_cluster,  ///< Users of the cluster's dashboard where it has any, else of our own.
        dashboard,
        own,
        none,  ///< Anybody.
    };
    Auth auth = Auth::by_cluster;          ///< Whom requests over TCP are to come from.
    bool audit_to_cluster = false;         ///< Whether the lines of the audit go to the cluster's log as well.
    api::RequestRate::Limit request_rate;  ///< Of each user who logs in.
    unsigned http_threads = 1;
    std::chrono::milliseconds grace{10'000};  ///< For running tasks at SIGTERM.
    std::string log_level = "info";
    int nice = -10;                  ///< Added to it, that of the front.
    int worker_nice = nice_value();  ///< That of whoever starts the daemon.
    bool real_time = true;           ///< Whether HTTP threads run before all others while they take little.
    bool core_files = false;         ///< Whether front and workers may write core files, which hold keys.
};

/// What the command line asks for instead of a run: `text` goes to standard output, or to standard error on failure.
struct Finished {
    int exit_code;
    std::string text;
};

/// @throws Finished  after `--help`, `--version` or a mistake, which its text names
Options parse_options(int argc, const char* const* argv);

}  // namespace taskd::daemon
