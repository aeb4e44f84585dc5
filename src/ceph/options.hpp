#pragma once

#include <chrono>
#include <map>
#include <string>

#include <nlohmann/json_fwd.hpp>

namespace taskd::ceph {

/// Where the cluster is and as whom to go there. Sent to worker processes as JSON over their socket: a key given in
/// `overrides` is seen in no command line.
struct ClusterOptions {
    std::string conf;                              ///< Path of ceph.conf; empty: CEPH_CONF, then librados' own places.
    std::string name = "client.admin";             ///< Entity name, type included.
    std::string keyring;                           ///< Path; empty: as the configuration says.
    std::string cluster = "ceph";                  ///< Name of the cluster, part of the default paths.
    std::map<std::string, std::string> overrides;  ///< Ceph options by name; they win over everything else.
    std::chrono::seconds connect_timeout{30};      ///< `client_mount_timeout`: without it librados waits 300 s.

    /// `rados_mon_op_timeout`: bounds mon commands and pool operations; zero waits for ever. Must be zero on a handle
    /// that sends mgr commands, see command_caller.hpp.
    std::chrono::seconds mon_op_timeout{15};
    /// `rados_osd_op_timeout`: zero waits for ever. Only where a write that happens after its time-out does no harm.
    std::chrono::seconds osd_op_timeout{0};

    bool operator==(const ClusterOptions&) const = default;
};

void to_json(nlohmann::json& json, const ClusterOptions& options);
/// Absent keys keep their defaults. @throws BadRequest, which names the key, on an unknown or ill-typed one.
void from_json(const nlohmann::json& json, ClusterOptions& options);

}  // namespace taskd::ceph
