#pragma once

#include "ceph/options.hpp"

#include <string>
#include <vector>

#include <rados/librados.h>
#include <taskd/error.hpp>

namespace taskd::ceph {

/// The files in which librados looks for a configuration, in its order.
std::vector<std::string> configuration_paths(const ClusterOptions& options);

/// Why the configuration could not be read.
Error configuration_failure(int rc, const ClusterOptions& options);

/// Why `rados_connect` failed, in words that name the file, option or address to look at: librados itself gives a
/// bare number. Reads the keyring again, which is what the number is mostly about.
/// @param cluster  Configured, not connected.
Error connect_failure(int rc, rados_t cluster, const ClusterOptions& options);

}  // namespace taskd::ceph
