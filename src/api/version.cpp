#include "api/version.hpp"

#include <charconv>
#include <string_view>

namespace taskd::api {
namespace {

constexpr std::string_view prefix = "application/vnd.ceph.api.v";
constexpr std::string_view suffix = "+json";

std::optional<Version> parse(std::string_view accept) {
    if (!accept.starts_with(prefix) || !accept.ends_with(suffix) || accept.size() < prefix.size() + suffix.size())
        return std::nullopt;
    accept.remove_prefix(prefix.size());
    accept.remove_suffix(suffix.size());
    Version version;
    const char* end = accept.data() + accept.size();
    const auto major = std::from_chars(accept.data(), end, version.major);
    if (major.ec != std::errc() || major.ptr == end || *major.ptr != '.') return std::nullopt;
    const auto minor = std::from_chars(major.ptr + 1, end, version.minor);
    if (minor.ec != std::errc() || minor.ptr != end) return std::nullopt;
    return version;
}

std::string number(Version version) {
    return std::to_string(version.major) + "." + std::to_string(version.minor);
}

}  // namespace

std::string Version::media_type() const {
    return std::string(prefix) + number(*this) + std::string(suffix);
}

std::optional<http::Response> refuse_version(const http::Request& request, Version endpoint) {
    const auto accept = request.header("Accept");
    if (!accept || *accept == "*/*" || *accept == "application/json") return std::nullopt;
    if (!endpoint.accepts_too.empty() && *accept == endpoint.accepts_too) return std::nullopt;
    const auto wanted = parse(*accept);
    if (!wanted) return http::error_response(415, "Unable to find version in request header");
    if (wanted->major == endpoint.major && wanted->minor <= endpoint.minor) return std::nullopt;
    return http::error_response(
        415, "Incorrect version: endpoint is '" + number(endpoint) + "', client requested '" + number(*wanted) + "'");
}

}  // namespace taskd::api
