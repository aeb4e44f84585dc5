#include "daemon/file_limit.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include <sys/resource.h>

#include <spdlog/spdlog.h>

namespace taskd::daemon {
namespace {

/// For the daemon itself: librados connects to every OSD, and each worker has a socket.
constexpr std::size_t reserved = 500;

}  // namespace

void raise_file_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
    limit.rlim_cur = limit.rlim_max;
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0)
        spdlog::warn("cannot raise the limit of open files: {}", std::generic_category().message(errno));
}

std::size_t within_file_limit(std::size_t connections) {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return connections;
    const std::size_t files = limit.rlim_cur;
    const auto fitting = files > 2 * reserved ? files - reserved : std::max<std::size_t>(1, files / 2);
    if (connections <= fitting) return connections;
    spdlog::warn(
        "only {} connections at a time instead of {}: no more than {} files may be open (ulimit -n, LimitNOFILE=)",
        fitting, connections, files);
    return fitting;
}

}  // namespace taskd::daemon
