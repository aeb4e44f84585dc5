#include "http/endpoint.hpp"

#include <charconv>
#include <utility>

#include <sys/un.h>

#include <taskd/error.hpp>

namespace taskd::http {

namespace {

constexpr std::string_view http_scheme = "http://";
constexpr std::string_view https_scheme = "https://";
constexpr std::string_view unix_scheme = "unix:";

[[noreturn]] void refuse(std::string_view text, const std::string& problem) {
    throw BadRequest("endpoint", problem + ": '" + std::string(text) + "'");
}

std::uint16_t parse_port(std::string_view digits, std::string_view text) {
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (digits.empty() || error != std::errc{} || end != digits.data() + digits.size())
        refuse(text, "expected a port between 0 and 65535 after the last ':'");
    return port;
}

}  // namespace

Endpoint Endpoint::tcp(std::string host, std::uint16_t port) {
    Endpoint endpoint;
    endpoint.host = std::move(host);
    endpoint.port = port;
    return endpoint;
}

Endpoint Endpoint::unix_socket(std::string path) {
    Endpoint endpoint;
    endpoint.kind = Kind::unix_socket;
    endpoint.path = std::move(path);
    return endpoint;
}

Endpoint Endpoint::parse(std::string_view text) {
    if (text.starts_with(unix_scheme)) {
        const auto path = text.substr(unix_scheme.size());
        if (path.empty()) refuse(text, "expected a path after 'unix:'");
        if (path.size() >= sizeof(sockaddr_un::sun_path))
            refuse(text, "the path of a Unix socket has at most " + std::to_string(sizeof(sockaddr_un::sun_path) - 1) +
                             " bytes");
        return unix_socket(std::string(path));
    }
    auto rest = text;
    const bool tls = rest.starts_with(https_scheme);
    const bool has_scheme = tls || rest.starts_with(http_scheme);
    if (has_scheme) {
        rest.remove_prefix((tls ? https_scheme : http_scheme).size());
        if (rest.ends_with('/')) rest.remove_suffix(1);
    }
    std::string_view host;
    if (rest.starts_with('[')) {
        const auto bracket = rest.find(']');
        if (bracket == std::string_view::npos) refuse(text, "expected a ']' after the IPv6 address");
        host = rest.substr(1, bracket - 1);
        rest.remove_prefix(bracket + 1);
    } else {
        host = rest.substr(0, rest.find(':'));
        rest.remove_prefix(host.size());
    }
    if (host.empty()) refuse(text, "expected an address before the port");
    if (host.find('/') != std::string_view::npos) refuse(text, "expected host:port or unix:/path");
    const bool has_port = !rest.empty() || !has_scheme;
    if (has_port && !rest.starts_with(':')) refuse(text, "expected host:port or unix:/path");
    const std::uint16_t usual_port = tls ? 443 : 80;
    auto endpoint = tcp(std::string(host), has_port ? parse_port(rest.substr(1), text) : usual_port);
    endpoint.tls = tls;
    return endpoint;
}

std::string Endpoint::text() const {
    if (kind == Kind::unix_socket) return std::string(unix_scheme) + path;
    const bool needs_brackets = host.find(':') != std::string::npos;
    return (needs_brackets ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::string Endpoint::url() const {
    if (kind == Kind::unix_socket) return text();
    return std::string(tls ? https_scheme : http_scheme) + text();
}

}  // namespace taskd::http
