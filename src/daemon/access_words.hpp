#pragma once

#include "auth/access_document.hpp"
#include "daemon/cluster_words.hpp"

#include <cstdint>
#include <functional>
#include <string>

namespace taskd::daemon {

/// `ceph-taskd user …`, `ceph-taskd role …`.
enum class AccessFamily : std::uint8_t { user, role };

/// What such a command line asks for.
struct AccessAction {
    ClusterWords cluster;
    bool changes = true;  ///< False: it only looks.
    /// Does it at that time, in seconds since the epoch, and returns what is printed.
    /// @throws Error  its errno is the exit code
    std::function<std::string(auth::AccessDocument& document, std::int64_t now)> run;
};

/// Gives the content of a file, or of standard input for `-`. @throws Error
using InputReader = std::function<std::string(const std::string& path)>;

/// The words are those of `ceph dashboard ac-user-…` and `ac-role-…`. Passwords are read and hashed here, before
/// anything is locked.
/// @param argv  argv[0] is the family's word.
/// @throws Finished  `--help`, or a mistake on the command line: 22, as `ceph`
/// @throws Error     EINVAL (a password or a name that cannot be one); what `read` throws
/// @source `ceph dashboard` 16.2.15
AccessAction parse_access_action(AccessFamily family, int argc, const char* const* argv, const InputReader& read);

}  // namespace taskd::daemon
