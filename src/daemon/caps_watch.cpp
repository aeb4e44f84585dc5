#include "daemon/caps_watch.hpp"

#include "core/thread_name.hpp"

#include <utility>

#include <spdlog/spdlog.h>
#include <taskd/error.hpp>

namespace taskd::daemon {
namespace {

using Verdict = ceph::CapFinding::Verdict;

void tell(const ceph::CapsReport& report) {
    for (const auto& finding : report.findings) {
        if (finding.verdict == Verdict::missing)
            spdlog::warn("caps: {} lacks {} ({}), which it needs {}", report.user, finding.text(), finding.roles,
                         finding.cap.reason);
        else if (finding.verdict == Verdict::unknown)
            spdlog::info("caps: whether {} has {} ({}) is not known: {}", report.user, finding.text(), finding.roles,
                         finding.problem);
    }
    if (report.has_all()) spdlog::info("caps: {} has all that it needs", report.user);
}

}  // namespace

std::vector<std::string> caps_roles_of(const Options& options) {
    std::vector<std::string> roles;
    const auto is_wanted = [&options, auth = options.auth](const ceph::CapsRole& role) {
        if (role.name == "users") return auth == Options::Auth::dashboard || auth == Options::Auth::by_cluster;
        if (role.name == "own-users") return auth == Options::Auth::own || auth == Options::Auth::by_cluster;
        if (role.name == "audit") return options.audit_to_cluster;
        return role.is_daemons;
    };
    for (const auto& role : ceph::cap_roles())
        if (is_wanted(role)) roles.emplace_back(role.name);
    return roles;
}

CapsWatch::CapsWatch(const Options& options, std::shared_ptr<ceph::Cluster> cluster) {
    ceph::CapsScope scope{options.pool.empty() ? cluster->conf("rbd_default_pool") : options.pool, {}};
    auto caps = ceph::needed_caps(caps_roles_of(options), scope);
    thread_ = std::jthread([this, cluster = std::move(cluster), scope = std::move(scope),
                            caps = std::move(caps)](const std::stop_token& stop) {
        name_this_thread("taskd-caps");
        try {
            auto report = std::make_shared<const ceph::CapsReport>(
                ceph::check_caps(cluster, caps, scope, std::chrono::seconds(10), stop));
            if (stop.stop_requested()) return;
            tell(*report);
            const MutexLock lock(mutex_);
            report_ = std::move(report);
        } catch (const std::exception& error) {
            spdlog::warn("caps: not tested: {}", error.what());
        }
    });
}

CapsWatch::~CapsWatch() = default;

std::shared_ptr<const ceph::CapsReport> CapsWatch::report() const {
    const MutexLock lock(mutex_);
    return report_;
}

}  // namespace taskd::daemon
