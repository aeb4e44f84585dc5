#pragma once

#include "ceph/caps.hpp"
#include "ceph/cluster.hpp"

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace taskd::ceph {

/// What a test of one cap found.
struct CapFinding {
    enum class Verdict { held, missing, unknown };

    Cap cap;  ///< Its role and reason are those of all roles that need it.
    std::string roles;
    std::string pool;  ///< Of an OSD's cap: where it was tested.
    Verdict verdict = Verdict::unknown;
    std::string problem;  ///< Why it is unknown.

    /// `mon 'profile rbd'`, `osd 'profile rbd pool=images'`: what to give the user.
    std::string text() const;
};

struct CapsReport {
    std::string user;  ///< "client.ceph-taskd"
    std::vector<CapFinding> findings;

    bool has_all() const;
};

/// `{"user", "missing": [{"cap", "roles", "reason"}], "unknown": [{"cap", "roles", "problem"}]}`
nlohmann::json to_view(const CapsReport& report);

/// Tests each of the caps, and changes nothing. An OSD's are tested in the pools of the scope, or in those that have
/// the application rbd, at most 64.
/// @param bound  Longest that each of its two rounds (monitors and mgr, then OSDs) takes; what does not answer in that
///               time is unknown.
/// @param stop   Ends it early; what was not answered is unknown.
/// @thread  Any. Blocks.
CapsReport check_caps(const std::shared_ptr<Cluster>& cluster, const std::vector<Cap>& caps, const CapsScope& scope,
                      std::chrono::milliseconds bound = std::chrono::seconds(10), const std::stop_token& stop = {});

}  // namespace taskd::ceph
