#include "api/endpoint.hpp"
#include "api/operation_request.hpp"
#include "api/request_body.hpp"
#include "api/routes.hpp"

#include <nlohmann/json.hpp>

namespace taskd::api {
namespace {

http::net::awaitable<http::Response> create(Services services, http::Request request) {
    return run_operation(services, "rbd/create", read_arguments(request), request, 201);
}

http::net::awaitable<http::Response> remove(Services services, http::Request request) {
    require_known_query(request, {"snapshots", "priority", "deadline"});
    nlohmann::json arguments{{"image_spec", request.param("image_spec")}};
    if (const auto snapshots = query_value(request, "snapshots")) arguments["snapshots"] = *snapshots;
    return run_operation(services, "rbd/delete", std::move(arguments), request, 204);
}

}  // namespace

void add_image_routes(http::Router& router, const Services& services) {
    router.add(
        "POST", "/api/block/image",
        endpoint(http::Handler([services](http::Request request) { return create(services, std::move(request)); })));
    router.add(
        "DELETE", "/api/block/image/{image_spec}",
        endpoint(http::Handler([services](http::Request request) { return remove(services, std::move(request)); })));
}

}  // namespace taskd::api
