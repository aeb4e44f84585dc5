#pragma once

#include "ceph/options.hpp"

#include <string>

namespace CLI {  // NOLINT(readability-identifier-naming): CLI11's own name
class App;
}

namespace taskd::daemon {

/// The options of the command line that say which cluster, and as whom.
class ClusterWords {
  public:
    /// Adds them to a command, which must not outlive this.
    /// @param id_names  Of the option for the id: commands that read a file have Ceph's `-i` for that.
    void define(CLI::App& app, const char* id_names = "-i,--id");

    /// What they say, once the command line is parsed.
    ceph::ClusterOptions options() const;
    /// For the daemon's own state; empty: the cluster's rbd_default_pool.
    const std::string& pool() const noexcept { return pool_; }

  private:
    ceph::ClusterOptions options_;
    std::string id_;
    std::string pool_;
    long connect_timeout_s_ = 15;
};

}  // namespace taskd::daemon
