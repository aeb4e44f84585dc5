#include "api/base64.hpp"
#include "api/endpoint.hpp"
#include "api/mirroring_questions.hpp"
#include "api/monitor_question.hpp"
#include "api/operation_request.hpp"
#include "api/path_arguments.hpp"
#include "api/request_body.hpp"
#include "api/routes.hpp"
#include "api/task_response.hpp"

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>
#include <taskd/error.hpp>

/// Changes of mirroring. Like the dashboard's but for the mode of a pool, which is a task there too, they do not look
/// like tasks: failures name none. What is secret never becomes an argument of one: see rbd/mirroring_peers.cpp.
namespace taskd::api {
namespace {

using Response = http::net::awaitable<http::Response>;
using ServicesPointer = std::shared_ptr<const Services>;

Response set_site_name(ServicesPointer services, http::Request request) {
    co_return without_task(
        co_await run_operation(*services, "rbd/mirroring/site_name/edit", read_arguments(request), request, 200));
}

Response set_pool_mode(ServicesPointer services, http::Request request) {
    return run_operation(*services, "rbd/mirroring/pool/edit", arguments_with_path(request, {"pool_name"}), request,
                         200);
}

/// Takes how a peer is reached out of the arguments.
/// @throws BadRequest
nlohmann::json take_attributes(nlohmann::json& arguments) {
    auto attributes = nlohmann::json::object();
    for (const auto* name : {"mon_host", "key"}) {
        const auto found = arguments.find(name);
        if (found == arguments.end()) continue;
        if (!found->is_null() && !found->is_string()) throw BadRequest(name, "expected text");
        if (found->is_string()) attributes[name] = *found;
        arguments.erase(found);
    }
    return attributes;
}

nlohmann::json config_key_set(const std::string& key, const std::string& value) {
    return {{"prefix", "config-key set"}, {"key", key}, {"val", value}};
}

nlohmann::json config_key_remove(const std::string& key) {
    return {{"prefix", "config-key rm"}, {"key", key}};
}

/// The user that peers come as.
nlohmann::json peer_user() {
    return {{"prefix", "auth get-or-create"},
            {"entity", "client.rbd-mirror-peer"},
            {"caps", {"mon", "profile rbd-mirror-peer", "osd", "profile rbd"}},
            {"format", "json"}};
}

nlohmann::json monitor_map() {
    return {{"prefix", "mon dump"}, {"format", "json"}};
}

void refuse_failure(const MonitorAnswer& answer, const char* what) {
    if (answer.return_code < 0)
        throw Error(ErrorKind::refused, -answer.return_code, "rbd-mirroring",
                    "[errno " + std::to_string(-answer.return_code) + "] " + what);
}

/// @source  librbd `rbd_mirror_peer_site_set_attributes`
http::net::awaitable<void> add_attributes(ServicesPointer services, std::string pool, std::string uuid,
                                          nlohmann::json changes) {
    const auto mirroring = co_await mirroring_of(services, std::move(pool));
    const bool is_there = std::any_of(mirroring.peers.begin(), mirroring.peers.end(),
                                      [&](const auto& peer) { return peer.uuid == uuid; });
    if (!is_there)
        throw Error(ErrorKind::refused, ENOENT, "rbd",
                    "[errno 2] RBD image not found (error setting mirror peer attributes)");
    auto attributes = co_await peer_attributes(services, mirroring.pool_id, uuid);
    attributes.update(changes);
    const auto answer = co_await ask_monitors(
        services, config_key_set(peer_attributes_key(mirroring.pool_id, uuid), attributes.dump()));
    refuse_failure(answer, "the monitors do not keep how the peer is reached");
}

Response add_peer(ServicesPointer services, http::Request request) {
    auto arguments = arguments_with_path(request, {"pool_name"});
    auto attributes = take_attributes(arguments);
    auto response =
        without_task(co_await run_operation(*services, "rbd/mirroring/peer/add", std::move(arguments), request, 201));
    if (response.status != 201 || attributes.empty()) co_return response;
    const auto uuid = nlohmann::json::parse(response.body.view()).at("uuid").get<std::string>();
    co_await add_attributes(services, request.param("pool_name"), uuid, std::move(attributes));
    co_return response;
}

Response edit_peer(ServicesPointer services, http::Request request) {
    auto arguments = arguments_with_path(request, {"pool_name", "peer_uuid"});
    auto attributes = take_attributes(arguments);
    auto response =
        without_task(co_await run_operation(*services, "rbd/mirroring/peer/edit", std::move(arguments), request, 200));
    if (response.status != 200 || attributes.empty()) co_return response;
    co_await add_attributes(services, request.param("pool_name"), request.param("peer_uuid"), std::move(attributes));
    co_return response;
}

Response remove_peer(ServicesPointer services, http::Request request) {
    auto arguments = arguments_of_delete(request, {"pool_name", "peer_uuid"}, {});
    co_return without_task(
        co_await run_operation(*services, "rbd/mirroring/peer/delete", std::move(arguments), request, 204));
}

/// `[v2:10.0.0.1:3300,v1:10.0.0.1:6789],…` of a map of the monitors.
std::string monitor_addresses(const nlohmann::json& map) {
    std::string all;
    for (const auto& monitor : map.at("mons")) {
        std::string addresses;
        for (const auto& address : monitor.at("public_addrs").at("addrvec"))
            addresses.append(addresses.empty() ? "" : ",")
                .append(address.at("type").get<std::string>())
                .append(":")
                .append(address.at("addr").get<std::string>());
        all.append(all.empty() ? "[" : ",[").append(addresses).append("]");
    }
    return all;
}

std::string bootstrap_token(const nlohmann::json& user, const nlohmann::json& monitors) {
    const nlohmann::json token = {{"fsid", monitors.at("fsid")},
                                  {"client_id", "rbd-mirror-peer"},
                                  {"key", user.at("key")},
                                  {"mon_host", monitor_addresses(monitors)}};
    return base64(token.dump());
}

/// Made here and not by a task, for it holds a key.
/// @source  librbd `rbd_mirror_peer_bootstrap_create`: the same client, capabilities and members
Response make_token(ServicesPointer services, http::Request request) {
    const auto arguments = read_arguments(request, EmptyBody::allowed);
    if (!arguments.empty()) throw BadRequest(arguments.begin().key(), "unknown field");
    const auto mirroring = co_await mirroring_of(services, request.param("pool_name"));
    if (mirroring.mode == 0)
        throw Error(ErrorKind::refused, EINVAL, "rbd",
                    "[errno 22] RBD invalid argument (error creating bootstrap token): mirroring is disabled");
    const auto user = co_await ask_monitors(services, peer_user());
    refuse_failure(user, "the monitors give no key for client.rbd-mirror-peer");
    const auto map = co_await ask_monitors(services, monitor_map());
    refuse_failure(map, "the monitors do not tell where they are");
    co_return json_response({{"token", bootstrap_token(user.output.at(0), map.output)}});
}

Response import_token(ServicesPointer services, http::Request request) {
    auto arguments = arguments_with_path(request, {"pool_name"}, EmptyBody::allowed);
    const auto token = arguments.find("token");
    if (token == arguments.end() || !token->is_string()) throw BadRequest("token", "expected text");
    const auto text = token->get<std::string>();
    arguments.erase(token);
    if (arguments.contains("token_at")) throw BadRequest("token_at", "unknown field");  // ours to say
    const auto key = "rbd/mirror/taskd/" + http::make_request_id();
    arguments["token_at"] = key;
    (void)services->operations.operation("rbd/mirroring/bootstrap/import").decode(arguments, {});  // before it is kept
    const auto kept = co_await ask_monitors(services, config_key_set(key, text));
    refuse_failure(kept, "the monitors do not keep the token");
    std::exception_ptr refusal;
    try {
        co_return without_task(
            co_await run_operation(*services, "rbd/mirroring/bootstrap/import", std::move(arguments), request, 200));
    } catch (const Error&) {
        refusal = std::current_exception();
    }
    co_await ask_monitors(services, config_key_remove(key));
    std::rethrow_exception(refusal);
}

}  // namespace

void add_mirroring_change_routes(http::Router& router, const Access& access) {
    router.add("PUT", "/api/block/mirroring/site_name", endpoint(access, Later(set_site_name)));
    router.add("PUT", "/api/block/mirroring/pool/{pool_name}", endpoint(access, Later(set_pool_mode)));
    router.add("POST", "/api/block/mirroring/pool/{pool_name}/peer", endpoint(access, Later(add_peer)));
    router.add("PUT", "/api/block/mirroring/pool/{pool_name}/peer/{peer_uuid}", endpoint(access, Later(edit_peer)));
    router.add("DELETE", "/api/block/mirroring/pool/{pool_name}/peer/{peer_uuid}",
               endpoint(access, Later(remove_peer)));
    router.add("POST", "/api/block/mirroring/pool/{pool_name}/bootstrap/token", endpoint(access, Later(make_token)));
    router.add("POST", "/api/block/mirroring/pool/{pool_name}/bootstrap/peer", endpoint(access, Later(import_token)));
}

}  // namespace taskd::api
