#include "api/endpoint.hpp"
#include "api/lister_wait.hpp"
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

nlohmann::json config_key(const std::string& key) {
    return {{"prefix", "config-key get"}, {"key", key}};
}

/// As librbd reads it: the name that was given, else the cluster's id.
/// @source  librbd `rbd_mirror_site_name_get`: config-key rbd/mirror/site_name
Response site_name(ServicesPointer services, http::Request request) {
    require_known_query(request, {});
    const auto answer = co_await ask_monitors(services, config_key("rbd/mirror/site_name"));
    std::string name = answer.return_code == 0 && answer.output.is_string() ? answer.output.get<std::string>() : "";
    // A name that reads as a number or the like comes as JSON.
    if (answer.return_code == 0 && !answer.output.is_string() && !answer.output.is_null()) name = answer.output.dump();
    if (name.empty()) {
        const auto cluster = services->cluster.current();
        if (cluster.snapshot) name = cluster.snapshot->fsid;
    }
    co_return json_response({{"site_name", name}});
}

http::net::awaitable<rbd::MirroringAnswer> mirroring_of(ServicesPointer services, std::string pool) {
    if (services->lister == nullptr)
        throw Error(ErrorKind::unavailable, EAGAIN, "taskd", "[errno 11] mirroring is not looked at here");
    try {
        co_return co_await answer_of_lister<rbd::MirroringAnswer>([&](rbd::Answered<rbd::MirroringAnswer> done) {
            services->lister->mirroring(std::move(pool), std::move(done));
        });
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::refused) throw;
        throw Error(error.kind(), error.errno_value(), "rbd-mirroring", error.what());  // as the dashboard names it
    }
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

/// Where librbd keeps how to reach a peer: `{"mon_host", "key"}`.
/// @source  librbd `rbd_mirror_peer_site_get_attributes`
std::string attributes_key(std::int64_t pool, const std::string& uuid) {
    return "rbd/mirror/peer/" + std::to_string(pool) + "/" + uuid;
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
    auto attributes = co_await ask_monitors(services, config_key(attributes_key(mirroring.pool_id, found->uuid)));
    if (attributes.output.is_string())
        attributes.output = nlohmann::json::parse(attributes.output.get<std::string>(), nullptr, false);
    const auto dot = found->client_name.find('.');
    co_return json_response(
        {{"uuid", found->uuid},
         {"cluster_name", found->site_name},
         {"site_name", found->site_name},
         {"client_id", dot == std::string::npos ? found->client_name : found->client_name.substr(dot + 1)},
         {"mon_host", text_member(attributes.output, "mon_host")},
         {"key", text_member(attributes.output, "key")},
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
