#include "http/cors_policy.hpp"

#include <algorithm>

#include <taskd/error.hpp>

namespace taskd::http {

std::string CorsPolicy::parse_origin(std::string_view text) {
    const auto refuse = [&](const std::string& problem) {
        throw BadRequest("origin", "'" + std::string(text) + "': " + problem);
    };
    if (text == "*") refuse("every site is none that can be trusted: name each");
    auto origin = text;
    if (origin.ends_with('/')) origin.remove_suffix(1);
    const auto begin = origin.find("://");
    const auto scheme = origin.substr(0, begin == std::string_view::npos ? 0 : begin);
    if (scheme != "http" && scheme != "https") refuse("expected https://HOST or http://HOST, with :PORT or without");
    const auto host = origin.substr(begin + 3);
    const auto fits = [](unsigned char c) {
        return c > ' ' && c < 0x7F && std::string_view("/?#@,").find(static_cast<char>(c)) == std::string_view::npos;
    };
    if (host.empty() || !std::all_of(host.begin(), host.end(), fits))
        refuse("expected nothing but a host behind the scheme, with :PORT or without");
    // As browsers send it.
    std::string result(origin);
    std::transform(result.begin(), result.end(), result.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return result;
}

std::string CorsPolicy::allowed_origin(const HeaderFields& headers) const {
    if (is_empty()) return {};
    const auto origin = headers.find("Origin");
    if (!origin) return {};
    const auto found = std::find(origins_.begin(), origins_.end(), *origin);
    return found == origins_.end() ? std::string() : *found;
}

bool CorsPolicy::is_preflight(const Request& request) {
    return request.method == "OPTIONS" && request.header("Access-Control-Request-Method").has_value();
}

Response CorsPolicy::preflight_answer() {
    Response response;
    response.status = 204;
    response.headers = {{"Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, DELETE"},
                        {"Access-Control-Allow-Headers", "Accept, Authorization, Content-Type, Prefer"},
                        {"Access-Control-Max-Age", "600"}};
    return response;
}

void CorsPolicy::allow(const std::string& origin, Response& response) {
    // Whoever keeps answers keeps one for each origin.
    response.headers.emplace_back("Vary", "Accept-Encoding, Origin");
    if (origin.empty()) return;
    response.headers.emplace_back("Access-Control-Allow-Origin", origin);
    response.headers.emplace_back("Access-Control-Expose-Headers", "Location, Retry-After, X-Task-Id");
}

}  // namespace taskd::http
