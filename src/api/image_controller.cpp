#include "api/endpoint.hpp"
#include "api/operation_request.hpp"
#include "api/request_body.hpp"
#include "api/routes.hpp"

#include <nlohmann/json.hpp>

namespace taskd::api {
namespace {

http::net::awaitable<http::Response> create(std::shared_ptr<const Services> services, http::Request request) {
    return run_operation(*services, "rbd/create", read_arguments(request), request, 201);
}

http::net::awaitable<http::Response> remove(std::shared_ptr<const Services> services, http::Request request) {
    require_known_query(request, {"snapshots", "priority", "deadline"});
    nlohmann::json arguments{{"image_spec", request.param("image_spec")}};
    if (const auto snapshots = query_value(request, "snapshots")) arguments["snapshots"] = *snapshots;
    return run_operation(*services, "rbd/delete", std::move(arguments), request, 204);
}

}  // namespace

void add_image_routes(http::Router& router, const Access& access) {
    router.add("POST", "/api/block/image", endpoint(access, Later(create)));
    router.add("DELETE", "/api/block/image/{image_spec}", endpoint(access, Later(remove)));
}

}  // namespace taskd::api
