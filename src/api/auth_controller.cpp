#include "api/endpoint.hpp"
#include "api/guard.hpp"
#include "api/request_body.hpp"
#include "api/routes.hpp"
#include "api/task_response.hpp"
#include "auth/token.hpp"
#include "http/callback_wait.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <nlohmann/json.hpp>
#include <taskd/error.hpp>

namespace taskd::api {
namespace {

using nlohmann::json;

/// How long a login waits for those before it, and a logout for the monitors.
constexpr std::chrono::seconds patience{15};
/// How often it is looked whether the users are known.
constexpr std::chrono::milliseconds look_interval{20};

/// @throws Error  there is nobody to log in
const Authority& authority_of(const Services& services) {
    if (services.authority == nullptr)
        throw Error(ErrorKind::not_found, ENOENT, "auth", "this ceph-taskd runs without authentication");
    return *services.authority;
}

std::shared_ptr<const auth::AccessState> state_of(const Authority& authority) {
    auto state = authority.state();
    if (!state) throw Error(ErrorKind::unavailable, EAGAIN, "auth", "the cluster's users are not known yet");
    return state;
}

/// Waits, without a thread, for the first look at the users: who just started knows them in less than a second.
/// @throws Error  they are not known after all
http::net::awaitable<std::shared_ptr<const auth::AccessState>> first_state_of(const Authority& authority) {
    const auto until = std::chrono::steady_clock::now() + authority.first_look;
    http::net::steady_timer timer(co_await http::net::this_coro::executor);
    while (!authority.state() && std::chrono::steady_clock::now() < until) {
        timer.expires_after(look_interval);
        co_await timer.async_wait(http::net::use_awaitable);
    }
    co_return state_of(authority);
}

std::string text_of(const json& arguments, const char* name) {
    const auto found = arguments.find(name);
    if (found == arguments.end()) throw BadRequest(name, "is missing");
    if (!found->is_string()) throw BadRequest(name, "expected a text");
    return found->get<std::string>();
}

void require_known(const json& arguments, std::initializer_list<std::string_view> known) {
    for (const auto& [name, value] : arguments.items())
        if (std::find(known.begin(), known.end(), name) == known.end()) throw BadRequest(name, "unknown field");
}

/// One answer for an unknown user, a wrong password, and one who is disabled, expired or locked out.
http::Response invalid_credentials() {
    auto response =
        json_response({{"detail", "Invalid credentials"}, {"code", "invalid_credentials"}, {"component", "auth"}});
    response.status = 400;
    response.content_type = "application/json";
    return response;
}

/// What came of something that another thread finds out. Shared with it.
struct Outcome {
    std::atomic<bool> is_good{false};
};

/// The cookie with the login's token. By TLS a browser is told to send it by nothing else.
std::string cookie_of(const http::Request& request, const std::string& token, std::string_view more = {}) {
    return "token=" + token + "; HttpOnly; Path=/; SameSite=Strict" + (request.is_secure() ? "; Secure" : "") +
           std::string(more);
}

http::Response logged_in(const http::Request& request, const auth::AccessState& state, const auth::User& user) {
    const auto now = auth::numeric_date_now();
    const auto token = auth::sign(
        {http::make_request_id(), user.name, user.token_time(now), now + state.token_lifetime.count()}, state.secret);
    auto response =
        json_response({{"token", token},
                       {"username", user.name},
                       {"permissions", user.permissions().to_json()},
                       {"pwdExpirationDate", user.password_expires_at ? json(*user.password_expires_at) : json()},
                       {"sso", false},
                       {"pwdUpdateRequired", user.must_change_password}});
    response.status = 201;
    response.headers.emplace_back("Set-Cookie", cookie_of(request, token));
    return response;
}

http::net::awaitable<http::Response> login(std::shared_ptr<const Services> services, http::Request request) {
    const auto arguments = read_arguments(request);
    require_known(arguments, {"username", "password"});
    const auto name = text_of(arguments, "username");
    const auto& authority = authority_of(*services);
    const auto state = co_await first_state_of(authority);
    const auto user = state->users.find(name);
    const auto outcome = std::make_shared<Outcome>();
    http::CallbackWait wait(co_await http::net::this_coro::executor);
    authority.logins.check(user, text_of(arguments, "password"), [outcome, tell = wait.callback()](bool is_right) {
        outcome->is_good = is_right;
        tell();
    });
    if (!co_await wait.wait_for(patience))
        throw Error(ErrorKind::unavailable, EAGAIN, "auth", "too many log in at once; try again");
    auto response = outcome->is_good && user ? logged_in(request, *state, *user) : invalid_credentials();
    response.about = "user " + name;
    co_return response;
}

http::Response check(const Services& services, const http::Request& request) {
    const auto arguments = read_arguments(request);
    require_known(arguments, {"token"});
    const auto token = arguments.find("token");
    if (token == arguments.end()) throw BadRequest("token", "is missing");
    const auto state = state_of(authority_of(services));
    const auto user =
        token->is_string() ? state->authenticate(token->get<std::string>(), auth::numeric_date_now()) : nullptr;
    if (!user) return json_response({{"login_url", "#/login"}, {"cluster_status", state->cluster_status}});
    return json_response({{"username", user->name},
                          {"permissions", user->permissions().to_json()},
                          {"sso", false},
                          {"pwdUpdateRequired", user->must_change_password}});
}

http::net::awaitable<http::Response> logout(std::shared_ptr<const Services> services, http::Request request) {
    const auto& authority = authority_of(*services);
    const auto token = auth::verify(token_of(request), state_of(authority)->secret);
    if (!token) throw BadRequest("token", "expected that of a login, as cookie or bearer");
    const auto outcome = std::make_shared<Outcome>();
    http::CallbackWait wait(co_await http::net::this_coro::executor);
    authority.revoke(*token, [outcome, tell = wait.callback()](bool written) {
        outcome->is_good = written;
        tell();
    });
    if (!co_await wait.wait_for(patience) || !outcome->is_good)
        throw Error(ErrorKind::unavailable, EAGAIN, "auth",
                    "the token is void here, but the cluster did not take note of it: other servers may still take it");
    auto response = json_response({{"redirect_url", "#/login"}});
    response.headers.emplace_back("Set-Cookie", cookie_of(request, "", "; Max-Age=0"));
    response.about = "user " + token->username;
    co_return response;
}

}  // namespace

void add_auth_routes(http::Router& router, const Access& access) {
    router.add("POST", "/api/auth", endpoint(access, Later(login)));
    router.add("POST", "/api/auth/check", endpoint(access, Now(check)));
    router.add("POST", "/api/auth/logout", endpoint(access, Later(logout)));
}

}  // namespace taskd::api
