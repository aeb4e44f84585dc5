#include "api/asset_handler.hpp"
#include "api/endpoint.hpp"
#include "api/routes.hpp"
#include "page/assets.hpp"

namespace taskd::api {

namespace {

/// The page of a standby can show nothing, as its Content-Security-Policy lets it ask no other daemon: who opens it is
/// sent to the active one. As long as none is known it is shown, says so, and waits.
http::SyncHandler document_handler(const Access& access, const page::Asset& asset) {
    return [access, document = asset_handler(asset)](http::Request& request) {
        const auto standing = access.standing();
        if (!standing.services && !standing.active_url.empty()) return answer_of_standby(standing, request);
        return document(request);
    };
}

}  // namespace

void add_page_routes(http::Router& router, const Access& access) {
    for (const auto& asset : page::assets())
        router.add("GET", asset.path, asset.path == "/" ? document_handler(access, asset) : asset_handler(asset));
}

}  // namespace taskd::api
