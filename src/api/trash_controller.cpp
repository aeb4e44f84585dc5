#include "api/endpoint.hpp"
#include "api/operation_request.hpp"
#include "api/path_arguments.hpp"
#include "api/routes.hpp"

#include <nlohmann/json.hpp>

namespace taskd::api {
namespace {

http::net::awaitable<http::Response> move_to_trash(std::shared_ptr<const Services> services, http::Request request) {
    return run_operation(*services, "rbd/trash/move", arguments_with_path(request, {"image_spec"}, EmptyBody::allowed),
                         request, 200);
}

http::net::awaitable<http::Response> purge_trash(std::shared_ptr<const Services> services, http::Request request) {
    return run_operation(*services, "rbd/trash/purge", read_arguments(request, EmptyBody::allowed), request, 200);
}

http::net::awaitable<http::Response> restore_from_trash(std::shared_ptr<const Services> services,
                                                        http::Request request) {
    return run_operation(*services, "rbd/trash/restore",
                         arguments_with_path(request, {"image_id_spec"}, EmptyBody::allowed), request, 200);
}

http::net::awaitable<http::Response> remove_from_trash(std::shared_ptr<const Services> services,
                                                       http::Request request) {
    return run_operation(*services, "rbd/trash/remove",
                         arguments_of_delete(request, {"image_id_spec"}, {"force", "snapshots"}), request, 204);
}

}  // namespace

void add_trash_routes(http::Router& router, const Access& access) {
    router.add("POST", "/api/block/image/{image_spec}/move_trash", endpoint(access, Later(move_to_trash)));
    router.add("POST", "/api/block/image/trash/purge", endpoint(access, Later(purge_trash)));
    router.add("POST", "/api/block/image/trash/{image_id_spec}/restore", endpoint(access, Later(restore_from_trash)));
    router.add("DELETE", "/api/block/image/trash/{image_id_spec}", endpoint(access, Later(remove_from_trash)));
}

}  // namespace taskd::api
