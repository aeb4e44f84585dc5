#pragma once

#include "ceph/cluster.hpp"
#include "http/tls_identity.hpp"

#include <memory>
#include <string>

namespace taskd::daemon {

/// Where the daemon's certificate and key are kept.
struct TlsSource {
    std::string certificate_file{};
    std::string key_file{};
    bool cluster = false;  ///< The config-keys `ceph-taskd/crt` and `ceph-taskd/key`.

    bool is_given() const noexcept { return cluster || !certificate_file.empty() || !key_file.empty(); }
};

/// Reads and checks both, and tells in the log who the daemon is now and what clients will not like about it. Blocks.
/// @param source  Given.
/// @throws Error  one line that says what to mend
std::shared_ptr<const http::TlsIdentity> load_tls_identity(const TlsSource& source,
                                                           const std::shared_ptr<ceph::Cluster>& cluster);

}  // namespace taskd::daemon
