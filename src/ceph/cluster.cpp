#include "ceph/cluster.hpp"

#include "ceph/connect_failure.hpp"
#include "ceph/error.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

namespace taskd::ceph {
namespace {

void set(rados_t cluster, const std::string& name, const std::string& value) {
    if (const int rc = rados_conf_set(cluster, name.c_str(), value.c_str()); rc < 0)
        throw rados_error(rc, "error setting option '" + name + "' to '" + value + "'");
}

void read_configuration(rados_t cluster, const ClusterOptions& options) {
    const char* const path = options.conf.empty() ? nullptr : options.conf.c_str();
    if (const int rc = rados_conf_read_file(cluster, path); rc < 0) {
        // A caller who says where the monitors are needs no file.
        const bool optional = options.conf.empty() && options.overrides.contains("mon_host");
        if (rc != -ENOENT || !optional) throw configuration_failure(rc, options);
    }
    if (const int rc = rados_conf_parse_env(cluster, nullptr); rc < 0) throw rados_error(rc, "error reading CEPH_ARGS");
}

/// Each event of a subsystem up to its second level goes into the ring of recent log lines, from a thread that is woken
/// for it: for an image made and removed a dozen lines for each time that librbd opens it. Without an admin socket
/// nobody can ask for them. Whoever gives the client a log file is left what they set, and can turn it up as it runs.
void gather_only_what_is_logged(rados_t cluster) {
    if (!conf_value(cluster, "log_file").empty()) return;
    for (const char* const subsystem :
         {"asok", "auth", "context", "finisher", "journaler", "mgrc", "monc", "objectcacher", "objecter", "perfcounter",
          "rados", "rbd", "throttle", "timer"}) {
        const auto option = std::string("debug_") + subsystem;
        std::array<char, 64> levels{};  // "1/5", of what is logged and what is gathered
        if (rados_conf_get(cluster, option.c_str(), levels.data(), levels.size()) < 0) continue;  // another Ceph's
        const std::string logged(levels.data(), std::strcspn(levels.data(), "/"));
        set(cluster, option, logged + "/" + logged);
    }
}

/// librbd waits for the newest OSD map in a callback when it unprotects a snapshot: with one thread for callbacks,
/// which is to bring the map, for ever. Always set, so that a 1 of the monitors' cannot come with the connect either.
void keep_a_thread_for_maps(rados_t cluster) {
    const std::string option = "librados_thread_count";
    const auto threads = conf_value(cluster, option);
    set(cluster, option, threads == "1" ? "2" : threads);
}

/// What suits a client that lives in somebody else's process.
void set_defaults(rados_t cluster, const ClusterOptions& options) {
    // The ring of recent log lines holds whole JSON answers: megabytes, and nobody reads it.
    set(cluster, "log_max_recent", "10");
    // Two handles of one process would fight for one socket path.
    set(cluster, "admin_socket", "");
    // With so many operations unanswered librados blocks whoever starts another; ours must not wait, and have bounds of
    // their own.
    set(cluster, "objecter_inflight_ops", "65536");
    // librados' own lines on our stderr: what matters of them is in the error that is thrown.
    set(cluster, "log_to_stderr", "false");
    set(cluster, "err_to_stderr", "false");
    set(cluster, "client_mount_timeout", std::to_string(options.connect_timeout.count()));
    set(cluster, "rados_mon_op_timeout", std::to_string(options.mon_op_timeout.count()));
    set(cluster, "rados_osd_op_timeout", std::to_string(options.osd_op_timeout.count()));
    if (!options.keyring.empty()) set(cluster, "keyring", options.keyring);
    keep_a_thread_for_maps(cluster);
}

}  // namespace

std::string conf_value(rados_t cluster, const std::string& name) {
    std::vector<char> value(256);
    int rc = -ENAMETOOLONG;
    while ((rc = rados_conf_get(cluster, name.c_str(), value.data(), value.size())) == -ENAMETOOLONG)
        value.resize(value.size() * 4);
    if (rc < 0) throw rados_error(rc, "error reading option '" + name + "'");
    return value.data();
}

std::string Ioctx::pool_name() const {
    std::array<char, 1024> name{};
    if (const int rc = rados_ioctx_get_pool_name(io_.get(), name.data(), name.size()); rc < 0)
        throw rados_error(rc, "error getting the name of a pool", "pool");
    return name.data();
}

std::shared_ptr<Cluster> Cluster::connect(const ClusterOptions& options) {
    rados_t raw = nullptr;
    if (const int rc = rados_create2(&raw, options.cluster.c_str(), options.name.c_str(), 0); rc < 0)
        throw rados_error(rc, "error making a client named '" + options.name + "'");
    Handle handle(raw);
    read_configuration(raw, options);
    set_defaults(raw, options);
    for (const auto& [name, value] : options.overrides) set(raw, name, value);
    if (const int rc = rados_connect(raw); rc < 0) throw connect_failure(rc, raw, options);
    gather_only_what_is_logged(raw);  // now that the monitors have told what is set there
    return std::shared_ptr<Cluster>(new Cluster(std::move(handle), options));
}

std::string Cluster::fsid() const {
    std::array<char, 64> text{};
    if (const int rc = rados_cluster_fsid(cluster_.get(), text.data(), text.size()); rc < 0)
        throw rados_error(rc, "error getting the fsid");
    return text.data();
}

std::string Cluster::addresses() const {
    char* text = nullptr;
    if (const int rc = rados_getaddrs(cluster_.get(), &text); rc < 0)
        throw rados_error(rc, "error getting the client's addresses");
    std::string copy(text);
    rados_buffer_free(text);
    return copy;
}

std::string Cluster::conf(const std::string& name) const {
    return conf_value(cluster_.get(), name);
}

namespace {

/// Opens by name or id, and once more with the newest map when the pool is not in this one.
template <class Open>
Ioctx open_with_newest_map(rados_t cluster, const std::string& what, const std::string& name_space, Open&& open) {
    rados_ioctx_t io = nullptr;
    int rc = open(&io);
    if (rc == -ENOENT && rados_wait_for_latest_osdmap(cluster) == 0) rc = open(&io);
    if (rc < 0) throw rados_error(rc, "error opening pool '" + what + "'", "pool");
    rados_ioctx_set_namespace(io, name_space.c_str());
    return Ioctx(io);
}

}  // namespace

Ioctx Cluster::open_ioctx(const std::string& pool, const std::string& name_space) const {
    return open_with_newest_map(cluster_.get(), pool, name_space, [&](rados_ioctx_t* io) {
        return rados_ioctx_create(cluster_.get(), pool.c_str(), io);
    });
}

Ioctx Cluster::open_ioctx(std::int64_t pool_id, const std::string& name_space) const {
    return open_with_newest_map(cluster_.get(), std::to_string(pool_id), name_space,
                                [&](rados_ioctx_t* io) { return rados_ioctx_create2(cluster_.get(), pool_id, io); });
}

}  // namespace taskd::ceph
