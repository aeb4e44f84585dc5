#pragma once

#include "core/mutex.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <rados/librados.h>

namespace taskd::ceph {
class Cluster;
}

namespace taskd::rbd {

/// librbd's options that an image can have values of its own for, with the value that holds and where it comes from.
struct ImageOption {
    enum class Source { config = 0, pool = 1, image = 2 };  ///< RBD_CONFIG_SOURCE_*

    std::string name;
    std::string value;
    Source source = Source::config;
};

/// @thread  Any. Never waits for the cluster.
class ImageOptions {
  public:
    explicit ImageOptions(std::shared_ptr<ceph::Cluster> cluster);

    using Overrides = std::map<std::string, std::string>;
    /// All of them, by name. Those of a newer or older Ceph than this librados are not among them.
    /// @param image  Values that Ceph does not take are left out, as librbd leaves them out.
    /// @source  librbd `rbd_config_image_list`; its list of options is asked of librbd by
    ///          tests/cluster/rbd/lister_test.cpp
    std::vector<ImageOption> effective(const Overrides& pool, const Overrides& image) const;

    /// An option of the cluster handle, as it is now. @throws Error ENOENT
    std::string conf(const std::string& name) const;

  private:
    struct Shutdown {
        using pointer = rados_t;
        void operator()(rados_t client) const noexcept { rados_shutdown(client); }
    };
    /// Whether Ceph can parse it.
    bool accepts(const std::string& option, const std::string& value) const;

    const std::shared_ptr<ceph::Cluster> cluster_;
    mutable Mutex mutex_;
    std::unique_ptr<void, Shutdown> scratch_ TASKD_GUARDED_BY(mutex_);  ///< Never connected: to parse values with.
};

}  // namespace taskd::rbd
