#include "api/endpoint.hpp"
#include "api/request_body.hpp"
#include "api/routes.hpp"
#include "api/task_response.hpp"

#include <nlohmann/json.hpp>

namespace taskd::api {
namespace {

http::Response summary(const Services& services, const http::Request& request) {
    require_known_query(request, {});
    const auto cluster = services.cluster.current();
    static const ceph::ClusterSnapshot nothing_known;
    const auto& known = cluster.snapshot ? *cluster.snapshot : nothing_known;
    nlohmann::json body = services.tasks.list_json();
    body["health_status"] = known.health_status;
    body["mgr_id"] = known.mgr_id;
    body["mgr_host"] = known.mgr_url;
    body["have_mon_connection"] = cluster.have_mon_connection;
    body["version"] = known.version;
    // What the dashboard shows while it has no data on mirroring, which nothing here looks at yet.
    body["rbd_mirroring"] = nlohmann::json::object();
    return json_response(body);
}

}  // namespace

void add_summary_routes(http::Router& router, const Access& access) {
    router.add("GET", "/api/summary", endpoint(access, Now(summary)));
}

}  // namespace taskd::api
