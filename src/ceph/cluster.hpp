#pragma once

#include "ceph/options.hpp"

#include <cstdint>
#include <memory>
#include <string>

#include <rados/librados.h>

namespace taskd::ceph {

/// Named deleters of librados' handles.
struct RadosShutdown {
    using pointer = rados_t;
    void operator()(rados_t cluster) const noexcept { rados_shutdown(cluster); }
};
struct IoctxDestroy {
    using pointer = rados_ioctx_t;
    void operator()(rados_ioctx_t io) const noexcept { rados_ioctx_destroy(io); }
};

/// A pool and a namespace to do object operations in. Must not outlive its Cluster.
/// @thread  `handle()` from any thread; librados' operations on it too.
class Ioctx {
  public:
    explicit Ioctx(rados_ioctx_t io) noexcept : io_(io) {}

    rados_ioctx_t handle() const noexcept { return io_.get(); }
    std::int64_t pool_id() const noexcept { return rados_ioctx_get_id(io_.get()); }
    std::string pool_name() const;

  private:
    std::unique_ptr<void, IoctxDestroy> io_;
};

/// A connected client of the cluster: one handle, about twelve threads of librados.
/// @thread  Every member is safe from any thread.
class Cluster {
  public:
    /// Reads the configuration (`conf`, else CEPH_CONF, else librados' places; then CEPH_ARGS; then the options and
    /// overrides) and connects. Blocks, at most `connect_timeout`.
    /// @throws Error, one line that names what to mend: ENOENT (no configuration, no keyring: the paths tried),
    ///         EIO (a key that the cluster refuses or this librados cannot read), EACCES (unknown id), EINVAL (an
    ///         option or `mon_host`), ETIMEDOUT (no monitor answers; its address).
    static std::shared_ptr<Cluster> connect(const ClusterOptions& options);

    Cluster(const Cluster&) = delete;
    Cluster& operator=(const Cluster&) = delete;
    ~Cluster() = default;

    rados_t handle() const noexcept { return cluster_.get(); }
    const ClusterOptions& options() const noexcept { return options_; }

    /// Of the cluster: "f52993eb-7867-41fe-93fb-341ea4863f57".
    std::string fsid() const;
    /// Of this client, as `osd blocklist add` takes them: "127.0.0.1:0/3221225472".
    std::string addresses() const;
    /// Of this client, unique in the cluster: the N of "client.N".
    std::uint64_t instance_id() const noexcept { return rados_get_instance_id(cluster_.get()); }
    /// A configuration option's value as text. @throws Error ENOENT (no such option)
    std::string conf(const std::string& name) const;

    /// Blocks for the newest OSD map when the pool is not in the one at hand, since it may have been made just now.
    /// @throws Error of component "pool": `[errno 2] RADOS object not found (error opening pool 'x')`.
    Ioctx open_ioctx(const std::string& pool, const std::string& name_space = "") const;
    /// The same by id, with which a pool that was deleted and made again under its name is not mistaken for the old
    /// one.
    Ioctx open_ioctx(std::int64_t pool_id, const std::string& name_space = "") const;

  private:
    using Handle = std::unique_ptr<void, RadosShutdown>;
    Cluster(Handle cluster, ClusterOptions options) : options_(std::move(options)), cluster_(std::move(cluster)) {}

    ClusterOptions options_;
    Handle cluster_;
};

/// A string option of an unconnected or connected handle. @throws Error ENOENT (no such option)
std::string conf_value(rados_t cluster, const std::string& name);

}  // namespace taskd::ceph
