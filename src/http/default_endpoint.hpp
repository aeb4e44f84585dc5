#pragma once

#include <string_view>

namespace taskd::http {

/// Where the daemon listens and the command line tool looks when nothing says otherwise.
inline constexpr std::string_view default_socket_path = "/run/ceph-taskd/ceph-taskd.sock";

}  // namespace taskd::http
