#include "daemon/cluster_words.hpp"

#include <chrono>

#include <CLI/CLI.hpp>

namespace taskd::daemon {

void ClusterWords::define(CLI::App& app, const char* id_names) {
    auto* group = app.add_option_group("Cluster", "Ceph's own options; CEPH_CONF and CEPH_ARGS are honoured");
    group->add_option("-c,--conf", options_.conf, "Path of ceph.conf");
    group->add_option("-n,--name", options_.name, "Entity name")->capture_default_str();
    group->add_option(id_names, id_, "Entity name without its type: admin stands for client.admin");
    group->add_option("-k,--keyring", options_.keyring, "Path of the keyring");
    group->add_option("--cluster", options_.cluster, "Cluster name, part of the default paths")->capture_default_str();
    group->add_option("--connect-timeout", connect_timeout_s_, "Seconds to wait for a monitor at start")
        ->capture_default_str()
        ->check(CLI::Range(1, 3600));
    group->add_option("--pool", pool_, "Pool for the daemon's own state (default: rbd_default_pool)");
}

ceph::ClusterOptions ClusterWords::options() const {
    auto options = options_;
    if (!id_.empty()) options.name = "client." + id_;
    options.connect_timeout = std::chrono::seconds(connect_timeout_s_);
    return options;
}

}  // namespace taskd::daemon
