#include "api/endpoint.hpp"
#include "api/operation_request.hpp"
#include "api/path_arguments.hpp"
#include "api/routes.hpp"
#include "api/task_response.hpp"

namespace taskd::api {
namespace {

http::net::awaitable<http::Response> create_namespace(std::shared_ptr<const Services> services, http::Request request) {
    auto arguments = arguments_with_path(request, {"pool_name"});
    co_return without_task(
        co_await run_operation(*services, "rbd/namespace/create", std::move(arguments), request, 201));
}

http::net::awaitable<http::Response> remove_namespace(std::shared_ptr<const Services> services, http::Request request) {
    auto arguments = arguments_of_delete(request, {"pool_name", "namespace"}, {});
    co_return without_task(
        co_await run_operation(*services, "rbd/namespace/delete", std::move(arguments), request, 204));
}

}  // namespace

void add_namespace_routes(http::Router& router, const Access& access) {
    router.add("POST", "/api/block/pool/{pool_name}/namespace", endpoint(access, Later(create_namespace)));
    router.add("DELETE", "/api/block/pool/{pool_name}/namespace/{namespace}",
               endpoint(access, Later(remove_namespace)));
}

}  // namespace taskd::api
