#include "api/endpoint.hpp"
#include "api/operation_request.hpp"
#include "api/path_arguments.hpp"
#include "api/request_body.hpp"
#include "api/routes.hpp"

#include <nlohmann/json.hpp>

namespace taskd::api {
namespace {

http::net::awaitable<http::Response> create_image(std::shared_ptr<const Services> services, http::Request request) {
    return run_operation(*services, "rbd/create", read_arguments(request), request, 201);
}

/// With `dry_run` the plan in place of the deed.
http::net::awaitable<http::Response> remove_image(std::shared_ptr<const Services> services, http::Request request) {
    auto arguments = arguments_of_delete(request, {"image_spec"}, {"snapshots", "children", "image_id", "dry_run"});
    arguments.erase("dry_run");
    if (query_flag(request, "dry_run"))
        return run_operation(*services, "rbd/delete/plan", std::move(arguments), request, 200);
    return run_operation(*services, "rbd/delete", std::move(arguments), request, 204);
}

}  // namespace

void add_image_routes(http::Router& router, const Access& access) {
    router.add("POST", "/api/block/image", endpoint(access, Later(create_image)));
    router.add("DELETE", "/api/block/image/{image_spec}", endpoint(access, Later(remove_image)));
}

}  // namespace taskd::api
