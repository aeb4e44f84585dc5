#include "api/endpoint.hpp"
#include "api/operation_request.hpp"
#include "api/path_arguments.hpp"
#include "api/routes.hpp"

#include <nlohmann/json.hpp>

namespace taskd::api {
namespace {

http::net::awaitable<http::Response> create_snapshot(std::shared_ptr<const Services> services, http::Request request) {
    return run_operation(*services, "rbd/snap/create", arguments_with_path(request, {"image_spec"}), request, 201);
}

http::net::awaitable<http::Response> purge_snapshots(std::shared_ptr<const Services> services, http::Request request) {
    return run_operation(*services, "rbd/snap/purge", arguments_with_path(request, {"image_spec"}, EmptyBody::allowed),
                         request, 200);
}

http::net::awaitable<http::Response> edit_snapshot(std::shared_ptr<const Services> services, http::Request request) {
    return run_operation(*services, "rbd/snap/edit", arguments_with_path(request, {"image_spec", "snapshot_name"}),
                         request, 200);
}

http::net::awaitable<http::Response> remove_snapshot(std::shared_ptr<const Services> services, http::Request request) {
    return run_operation(*services, "rbd/snap/delete",
                         arguments_of_delete(request, {"image_spec", "snapshot_name"}, {"image_id", "force"}), request,
                         204);
}

http::net::awaitable<http::Response> roll_back(std::shared_ptr<const Services> services, http::Request request) {
    return run_operation(*services, "rbd/snap/rollback",
                         arguments_with_path(request, {"image_spec", "snapshot_name"}, EmptyBody::allowed), request,
                         200);
}

http::net::awaitable<http::Response> clone(std::shared_ptr<const Services> services, http::Request request) {
    return run_operation(*services, "rbd/clone",
                         arguments_with_path(request, {"image_spec", "snapshot_name"}, EmptyBody::allowed), request,
                         200);
}

}  // namespace

void add_snapshot_routes(http::Router& router, const Access& access) {
    router.add("POST", "/api/block/image/{image_spec}/snap", endpoint(access, Later(create_snapshot)));
    router.add("POST", "/api/block/image/{image_spec}/snap/purge", endpoint(access, Later(purge_snapshots)));
    router.add("PUT", "/api/block/image/{image_spec}/snap/{snapshot_name}", endpoint(access, Later(edit_snapshot)));
    router.add("DELETE", "/api/block/image/{image_spec}/snap/{snapshot_name}",
               endpoint(access, Later(remove_snapshot)));
    router.add("POST", "/api/block/image/{image_spec}/snap/{snapshot_name}/rollback",
               endpoint(access, Later(roll_back)));
    router.add("POST", "/api/block/image/{image_spec}/snap/{snapshot_name}/clone", endpoint(access, Later(clone)));
}

}  // namespace taskd::api
