#include "api/guard.hpp"

#include "api/audit.hpp"
#include "api/endpoint.hpp"
#include "api/error_view.hpp"
#include "auth/token.hpp"

#include <cerrno>
#include <optional>
#include <string_view>

#include <taskd/error.hpp>
#include <unistd.h>

namespace taskd::api {
namespace {

constexpr std::string_view cookie_name = "token=";

std::string_view without_blanks(std::string_view text) {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    return text;
}

std::optional<std::string_view> cookie_of(const http::Request& request) {
    auto cookies = request.header("Cookie").value_or(std::string_view());
    while (!cookies.empty()) {
        const auto one = without_blanks(cookies.substr(0, cookies.find(';')));
        if (one.starts_with(cookie_name)) return one.substr(cookie_name.size());
        const auto end = cookies.find(';');
        cookies = end == std::string_view::npos ? std::string_view() : cookies.substr(end + 1);
    }
    return std::nullopt;
}

bool changes_something(const http::Request& request) {
    return request.method != "GET" && request.method != "HEAD";
}

/// A browser sends the cookie along with what another site's page asks for.
bool is_of_another_site(const http::Request& request) {
    if (!cookie_of(request) || !changes_something(request)) return false;
    if (const auto site = request.header("Sec-Fetch-Site")) return *site != "same-origin" && *site != "none";
    const auto origin = request.header("Origin");
    if (!origin) return false;
    const auto begin = origin->find("://");
    return begin == std::string_view::npos || origin->substr(begin + 3) != request.host();
}

/// Root and the daemon's own user need no token at the Unix socket.
bool is_trusted(const http::Peer& peer) {
    return peer.kind == http::Peer::Kind::unix_socket && peer.credentials &&
           (peer.credentials->uid == 0 || peer.credentials->uid == ::geteuid());
}

http::Response unauthorized() {
    return http::error_response(401, "You are not authorized to access that resource");
}

http::Response too_many_requests(std::chrono::seconds wait) {
    auto response = http::error_response(429, "Too many requests: try again in " + std::to_string(wait.count()) + " s");
    response.headers.emplace_back("Retry-After", std::to_string(wait.count()));
    return response;
}

/// Whether it is no matter who asks.
bool asks_nobody(const Access& access, const Right& right, const http::Request& request) {
    if (right.kind == Right::Kind::metrics) return access.meters->readers.include(request);
    return right.kind == Right::Kind::open;
}

/// Notes who calls; what the caller is answered who may not.
std::optional<http::Response> refuse(const Access& access, const Access::Standing& standing, const Right& right,
                                     http::Request& request) {
    if (!standing.services) {
        // A standby asks nobody who they are: it sends everybody to the active one. That it became the active one
        // itself a moment ago must let nobody pass.
        if (asks_nobody(access, right, request)) return std::nullopt;
        // The other one's metrics are not this one's.
        if (right.kind == Right::Kind::metrics) return unauthorized();
        return answer_of_standby(standing, request);
    }
    const auto& services = *standing.services;
    if (services.authority == nullptr || is_trusted(request.peer)) {
        request.caller = auth::trusted_user();
        return std::nullopt;
    }
    if (asks_nobody(access, right, request)) return std::nullopt;
    const auto state = services.authority->state();
    if (!state)
        return failure_response(std::make_exception_ptr(
            Error(ErrorKind::unavailable, EAGAIN, "auth", "the cluster's users are not known yet")));
    const auto token = token_of(request);
    const auto user = token.empty() ? nullptr : state->authenticate(token, auth::numeric_date_now());
    if (!user) return unauthorized();
    request.caller = user;  // also of a request that is refused
    if (services.authority->rate != nullptr)
        if (const auto wait = services.authority->rate->count(user->name)) return too_many_requests(*wait);
    if (is_of_another_site(request)) return forbidden_response();
    if (right.kind != Right::Kind::any_user &&
        (user->must_change_password || !user->may(right.scope, right.permission)))
        return forbidden_response();
    return std::nullopt;
}

/// What the server answers when a handler has a fault.
http::Response fault() {
    return http::error_response(500, {});
}

http::net::awaitable<http::Response> audited(http::Handler handler, http::Request request,
                                             std::shared_ptr<const Services> services) {
    const ChangeRequest change(request);
    try {
        auto response = co_await handler(std::move(request));
        change.tell(services.get(), response);
        co_return response;
    } catch (...) {
        change.tell(services.get(), fault());
        throw;
    }
}

http::net::awaitable<http::Response> refused(http::Response response) {
    co_return response;
}

}  // namespace

http::Response forbidden_response() {
    return http::error_response(403, "You don't have permissions to access that resource");
}

std::string token_of(const http::Request& request) {
    if (const auto cookie = cookie_of(request)) return std::string(*cookie);
    const auto authorization = request.header("Authorization").value_or(std::string_view());
    constexpr std::string_view scheme = "Bearer ";
    if (authorization.size() <= scheme.size() ||
        !http::same_name(authorization.substr(0, scheme.size() - 1), scheme.substr(0, scheme.size() - 1)) ||
        authorization[scheme.size() - 1] != ' ')
        return {};
    return std::string(without_blanks(authorization.substr(scheme.size())));
}

const auth::User& caller_of(const http::Request& request) {
    // Only `refuse` above sets it.
    return *static_cast<const auth::User*>(request.caller.get());
}

std::shared_ptr<const auth::User> caller_now(const Services& services, const http::Request& request) {
    if (services.authority == nullptr || is_trusted(request.peer)) return auth::trusted_user();
    const auto state = services.authority->state();
    return state ? state->authenticate(token_of(request), auth::numeric_date_now()) : nullptr;
}

http::Route guarded(Access access, Right right, http::Route route) {
    if (route.now) {
        route.now = [access = std::move(access), right, inner = std::move(route.now)](http::Request& request) {
            const auto standing = access.standing();
            auto refusal = refuse(access, standing, right, request);
            if (!changes_something(request)) return refusal ? *std::move(refusal) : inner(request);
            const ChangeRequest change(request);
            try {
                auto response = refusal ? *std::move(refusal) : inner(request);
                change.tell(standing.services.get(), response);
                return response;
            } catch (...) {
                change.tell(standing.services.get(), fault());
                throw;
            }
        };
    } else {
        route.later = [access = std::move(access), right, inner = std::move(route.later)](http::Request request) {
            auto standing = access.standing();
            if (auto refusal = refuse(access, standing, right, request)) {
                if (changes_something(request)) ChangeRequest(request).tell(standing.services.get(), *refusal);
                return refused(*std::move(refusal));
            }
            if (!changes_something(request)) return inner(std::move(request));
            return audited(inner, std::move(request), std::move(standing.services));
        };
    }
    return route;
}

}  // namespace taskd::api
