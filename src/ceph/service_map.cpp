#include "ceph/service_map.hpp"

#include "ceph/error.hpp"

#include <array>

#include <unistd.h>

namespace taskd::ceph {
namespace {

/// librados' form of a dictionary: key, NUL, value, NUL, …, NUL.
std::string dictionary(const std::map<std::string, std::string>& entries) {
    std::string text;
    for (const auto& [key, value] : entries) {
        if (key.empty() || (key + value).find('\0') != std::string::npos)
            throw BadRequest(key, "a service map entry with an empty key or a NUL");
        text.append(key).push_back('\0');
        text.append(value).push_back('\0');
    }
    text.push_back('\0');
    return text;
}

}  // namespace

std::map<std::string, std::string> own_metadata(const Cluster& cluster, const std::string& version) {
    std::array<char, 256> host{};
    gethostname(host.data(), host.size() - 1);
    return {{"hostname", host.data()},
            {"pid", std::to_string(getpid())},
            {"ceph_taskd_version", version},
            {"addrs", cluster.addresses()}};
}

ServiceMapEntry::ServiceMapEntry(std::shared_ptr<Cluster> cluster, const std::string& daemon,
                                 const std::map<std::string, std::string>& metadata)
    : cluster_(std::move(cluster)) {
    const std::string entries = dictionary(metadata);
    if (const int rc = rados_service_register(cluster_->handle(), "taskd", daemon.c_str(), entries.c_str()); rc < 0)
        throw rados_error(rc, "error registering service taskd." + daemon);
}

void ServiceMapEntry::update_status(const std::map<std::string, std::string>& status) {
    const std::string entries = dictionary(status);
    if (const int rc = rados_service_update_status(cluster_->handle(), entries.c_str()); rc < 0)
        throw rados_error(rc, "error updating the service's status");
}

}  // namespace taskd::ceph
