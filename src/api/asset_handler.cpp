#include "api/asset_handler.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace taskd::api {
namespace {

constexpr std::string_view policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// Whether the browser has the asset as it is.
bool has_already(const http::Request& request, std::string_view etag) {
    const auto known = request.header("If-None-Match");
    return known && (*known == "*" || known->find(etag) != std::string_view::npos);
}

http::Response answer(const http::Request& request, const page::Asset& asset,
                      const std::shared_ptr<const std::string>& body) {
    http::Response response;
    response.content_type = asset.type;
    response.headers.emplace_back("Content-Security-Policy", std::string(policy));
    response.headers.emplace_back("X-Content-Type-Options", "nosniff");
    response.headers.emplace_back("ETag", std::string(asset.etag));
    // Asked about each time: the next daemon may have another page under the same names.
    response.headers.emplace_back("Cache-Control", "no-cache");
    if (has_already(request, asset.etag))
        response.status = 304;
    else
        response.body = body;
    return response;
}

}  // namespace

http::SyncHandler asset_handler(const page::Asset& asset) {
    // Shared, so that the server compresses it once.
    auto body = std::make_shared<const std::string>(asset.body);
    return [asset, body](const http::Request& request) { return answer(request, asset, body); };
}

}  // namespace taskd::api
