#include "api/asset_handler.hpp"
#include "api/openapi_document.hpp"
#include "api/routes.hpp"

namespace taskd::api {

void add_openapi_routes(http::Router& router) {
    for (const auto& asset : openapi_document()) router.add("GET", asset.path, asset_handler(asset));
}

}  // namespace taskd::api
