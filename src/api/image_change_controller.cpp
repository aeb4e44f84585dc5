#include "api/endpoint.hpp"
#include "api/operation_request.hpp"
#include "api/path_arguments.hpp"
#include "api/routes.hpp"

#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

namespace taskd::api {
namespace {

http::net::awaitable<http::Response> edit_image(std::shared_ptr<const Services> services, http::Request request) {
    return run_operation(*services, "rbd/edit", arguments_with_path(request, {"image_spec"}), request, 200);
}

/// The operation of this name, whose arguments may come in the body, in the query, or not at all.
Later change(std::string_view operation) {
    return [operation](std::shared_ptr<const Services> services, http::Request request) {
        return run_operation(*services, operation, arguments_with_path(request, {"image_spec"}, EmptyBody::allowed),
                             request, 200);
    };
}

}  // namespace

void add_image_change_routes(http::Router& router, const Access& access) {
    const std::string image = "/api/block/image/{image_spec}";
    router.add("PUT", image, endpoint(access, Later(edit_image)));
    for (const auto& [path, operation] : {std::pair{"/copy", "rbd/copy"},
                                          {"/flatten", "rbd/flatten"},
                                          {"/resize", "rbd/resize"},
                                          {"/deep_copy", "rbd/deep_copy"},
                                          {"/sparsify", "rbd/sparsify"},
                                          {"/object_map/rebuild", "rbd/object_map/rebuild"},
                                          {"/migration/prepare", "rbd/migration/prepare"},
                                          {"/migration/execute", "rbd/migration/execute"},
                                          {"/migration/commit", "rbd/migration/commit"},
                                          {"/migration/abort", "rbd/migration/abort"}})
        router.add("POST", image + path, endpoint(access, change(operation)));
}

}  // namespace taskd::api
