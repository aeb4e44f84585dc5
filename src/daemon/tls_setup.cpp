#include "daemon/tls_setup.hpp"

#include "ceph/caps.hpp"
#include "ceph/command_caller.hpp"

#include <cerrno>
#include <chrono>

#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>
#include <taskd/error.hpp>

namespace taskd::daemon {
namespace {

constexpr const char* certificate_key = "ceph-taskd/crt";
constexpr const char* private_key = "ceph-taskd/key";
constexpr const char* needed_cap = R"(mon 'allow command "config-key get" with key prefix ceph-taskd/')";

http::TlsPair::Part read_config_key(ceph::CommandCaller& monitors, const std::string& user, const std::string& key) {
    const auto name = "config-key " + key;
    const auto result = monitors.call(ceph::CommandTarget(), {{"prefix", "config-key get"}, {"key", key}}, {});
    if (result.return_code == 0) return {name, result.output};
    if (result.return_code == -ENOENT)
        throw Error(ErrorKind::unavailable, ENOENT, "tls",
                    "read " + name + ": there is none; `ceph config-key set " + key + " -i FILE` makes it");
    throw ceph::with_needed_caps(
        Error(ErrorKind::unavailable, -result.return_code, "tls", "read " + name + ": " + result.status), user,
        needed_cap);
}

http::TlsPair read_pair(const TlsSource& source, const std::shared_ptr<ceph::Cluster>& cluster) {
    if (!source.cluster) return http::read_tls_pair(source.certificate_file, source.key_file);
    ceph::LibradosCaller monitors([cluster] { return cluster; });
    const auto& user = cluster->options().name;
    return {read_config_key(monitors, user, certificate_key), read_config_key(monitors, user, private_key)};
}

}  // namespace

std::shared_ptr<const http::TlsIdentity> load_tls_identity(const TlsSource& source,
                                                           const std::shared_ptr<ceph::Cluster>& cluster) {
    auto identity = std::make_shared<const http::TlsIdentity>(read_pair(source, cluster));
    spdlog::info("tls: {}", identity->description());
    for (const auto& warning : identity->warnings(std::chrono::system_clock::now())) spdlog::warn("tls: {}", warning);
    return identity;
}

}  // namespace taskd::daemon
