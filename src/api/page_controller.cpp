#include "api/asset_handler.hpp"
#include "api/routes.hpp"
#include "page/assets.hpp"

namespace taskd::api {

void add_page_routes(http::Router& router) {
    for (const auto& asset : page::assets()) router.add("GET", asset.path, asset_handler(asset));
}

}  // namespace taskd::api
