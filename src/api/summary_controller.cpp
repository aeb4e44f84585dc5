#include "api/endpoint.hpp"
#include "api/guard.hpp"
#include "api/request_body.hpp"
#include "api/routes.hpp"
#include "api/task_listing.hpp"
#include "api/task_response.hpp"

#include <nlohmann/json.hpp>

namespace taskd::api {
namespace {

/// Empty while nothing is known, as in the dashboard.
nlohmann::json mirroring_view(const Services& services) {
    const auto health = services.lister != nullptr ? services.lister->mirroring_health() : std::nullopt;
    if (!health) return nlohmann::json::object();
    return {{"warnings", health->warnings}, {"errors", health->errors}};
}

http::Response summary(const Services& services, const http::Request& request) {
    require_known_query(request, {});
    const auto cluster = services.cluster.current();
    static const ceph::ClusterSnapshot nothing_known;
    const auto& known = cluster.snapshot ? *cluster.snapshot : nothing_known;
    const auto& caller = caller_of(request);
    nlohmann::json more{{"health_status", known.health_status},
                        {"mgr_id", known.mgr_id},
                        {"mgr_host", known.mgr_url},
                        {"have_mon_connection", cluster.have_mon_connection},
                        {"version", known.version}};
    if (caller.may(auth::Scope::rbd_mirroring, auth::Permission::read))
        more["rbd_mirroring"] = mirroring_view(services);
    return json_text_response(all_tasks_text(services, caller, {}, more));
}

}  // namespace

void add_summary_routes(http::Router& router, const Access& access) {
    router.add("GET", "/api/summary", endpoint(access, Now(summary)));
}

}  // namespace taskd::api
