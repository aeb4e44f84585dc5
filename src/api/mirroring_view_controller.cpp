#include "api/endpoint.hpp"
#include "api/guard.hpp"
#include "api/mirroring_questions.hpp"
#include "api/monitor_question.hpp"
#include "api/request_body.hpp"
#include "api/routes.hpp"
#include "api/task_response.hpp"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

namespace taskd::api {
namespace {

using Response = http::net::awaitable<http::Response>;
using ServicesPointer = std::shared_ptr<const Services>;

/// As librbd reads it: the name that was given, else the cluster's id.
/// @source  librbd `rbd_mirror_site_name_get`: config-key rbd/mirror/site_name
Response site_name(ServicesPointer services, http::Request request) {
    require_known_query(request, {});
    const auto answer = co_await ask_monitors(services, config_key_get("rbd/mirror/site_name"));
    std::string name = answer.return_code == 0 && answer.output.is_string() ? answer.output.get<std::string>() : "";
    // A name that reads as a number or the like comes as JSON.
    if (answer.return_code == 0 && !answer.output.is_string() && !answer.output.is_null()) name = answer.output.dump();
    if (name.empty()) {
        const auto cluster = services->cluster.current();
        if (cluster.snapshot) name = cluster.snapshot->fsid;
    }
    co_return json_response({{"site_name", name}});
}

Response pool_mode(ServicesPointer services, http::Request request) {
    constexpr std::array<const char*, 3> modes{"disabled", "image", "pool"};
    require_known_query(request, {});
    const auto mirroring = co_await mirroring_of(services, request.param("pool_name"));
    co_return json_response({{"mirror_mode", mirroring.mode < modes.size() ? modes[mirroring.mode] : "unknown"}});
}

Response peers(ServicesPointer services, http::Request request) {
    require_known_query(request, {});
    const auto mirroring = co_await mirroring_of(services, request.param("pool_name"));
    nlohmann::json view = nlohmann::json::array();
    for (const auto& peer : mirroring.peers) view.push_back(peer.uuid);
    co_return json_response(view);
}

std::string text_member(const nlohmann::json& object, const char* name) {
    const auto found = object.is_object() ? object.find(name) : object.end();
    return object.is_object() && found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

Response peer(ServicesPointer services, http::Request request) {
    constexpr std::array<const char*, 3> directions{"rx", "tx", "rx-tx"};
    require_known_query(request, {});
    const auto mirroring = co_await mirroring_of(services, request.param("pool_name"));
    const auto found = std::find_if(mirroring.peers.begin(), mirroring.peers.end(),
                                    [&](const auto& known) { return known.uuid == request.param("peer_uuid"); });
    if (found == mirroring.peers.end()) co_return http::error_response(404, "Nothing matches the given URI");
    const auto attributes = co_await peer_attributes(services, mirroring.pool_id, found->uuid);
    // A key of another cluster is for those who may give one.
    const bool may_see_key = caller_of(request).may(auth::Scope::rbd_mirroring, auth::Permission::update);
    const auto dot = found->client_name.find('.');
    co_return json_response(
        {{"uuid", found->uuid},
         {"cluster_name", found->site_name},
         {"site_name", found->site_name},
         {"client_id", dot == std::string::npos ? found->client_name : found->client_name.substr(dot + 1)},
         {"mon_host", text_member(attributes, "mon_host")},
         {"key", may_see_key ? text_member(attributes, "key") : "***"},
         {"direction", found->direction < directions.size() ? directions[found->direction] : "rx"},
         {"mirror_uuid", found->mirror_uuid}});
}

}  // namespace

void add_mirroring_view_routes(http::Router& router, const Access& access) {
    router.add("GET", "/api/block/mirroring/site_name", endpoint(access, Later(site_name)));
    router.add("GET", "/api/block/mirroring/pool/{pool_name}", endpoint(access, Later(pool_mode)));
    router.add("GET", "/api/block/mirroring/pool/{pool_name}/peer", endpoint(access, Later(peers)));
    router.add("GET", "/api/block/mirroring/pool/{pool_name}/peer/{peer_uuid}", endpoint(access, Later(peer)));
}

}  // namespace taskd::api
