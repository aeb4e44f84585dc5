#include "api/routes.hpp"
#include "api/task_response.hpp"

#include <nlohmann/json.hpp>

namespace taskd::api {
namespace {

http::Response plain(int status, const nlohmann::json& body) {
    http::Response response;
    response.status = status;
    response.body = body.dump();
    return response;
}

/// The process serves requests; says nothing of the cluster.
http::Response alive(const Access& access) {
    return plain(200, {{"state", access.standing().state}});
}

/// A front that was not heard of for so long is not sure to be the active one; it is to hear of itself every 2 s.
constexpr std::chrono::seconds longest_silence{5};

/// Whether a task that is sent now has a chance: active and lately confirmed as such, a monitor answers, the journal
/// takes writes.
http::Response ready(const Access& access) {
    const auto standing = access.standing();
    nlohmann::json body{{"state", standing.state}, {"have_mon_connection", false}, {"journal_pending", nullptr}};
    // Told, but no reason to be out of service: what the caps are there for works.
    const auto caps = access.caps ? access.caps() : nullptr;
    body["caps"] = caps ? ceph::to_view(*caps) : nlohmann::json();
    if (!standing.services) return plain(503, body);
    const auto cluster = standing.services->cluster.current();
    body["have_mon_connection"] = cluster.have_mon_connection;
    bool is_ready = cluster.have_mon_connection;
    if (standing.confirmed_at) {
        const auto age = std::chrono::steady_clock::now() - *standing.confirmed_at;
        body["role_age_seconds"] = std::chrono::duration<double>(age).count();
        is_ready = is_ready && age < longest_silence;
    }
    if (standing.services->journal) {
        const auto lag = standing.services->journal->longest_pending();
        body["journal_pending"] = standing.services->journal->pending();
        body["journal_lag_seconds"] = std::chrono::duration<double>(lag).count();
        is_ready = is_ready && lag < longest_silence;
    }
    return plain(is_ready ? 200 : 503, body);
}

}  // namespace

void add_health_routes(http::Router& router, const Access& access) {
    router.add("GET", "/healthz", http::SyncHandler([access](const http::Request&) { return alive(access); }));
    router.add("GET", "/readyz", http::SyncHandler([access](const http::Request&) { return ready(access); }));
}

}  // namespace taskd::api
