#include "api/endpoint.hpp"

#include "api/error_view.hpp"
#include "api/request_body.hpp"

#include <algorithm>

namespace taskd::api {
namespace {

/// What the exception in flight answers. Faults of ours go on to the server, which answers 500 and logs them.
http::Response answer_of_exception() {
    try {
        throw;
    } catch (const Unreadable& unreadable) {
        return unreadable.response;
    } catch (const Error&) {
        return failure_response(std::current_exception());
    }
}

/// An answer of a front that may no longer be the active one: that it does not know of something means nothing. What
/// became of a task means as much as ever.
http::Response doubted(http::Response response, bool is_sure) {
    const auto is_task_id = [](const http::NameValue& header) { return header.first == "X-Task-Id"; };
    if (is_sure || response.status != 404 || std::ranges::any_of(response.headers, is_task_id)) return response;
    return failure_response(std::make_exception_ptr(
        Error(ErrorKind::unavailable, EAGAIN, "taskd",
              "not found here, but this ceph-taskd cannot see whether it still is the active one: ask again")));
}

/// What is wrong with the request whatever its arguments are. Bad JSON comes first, as in the dashboard, but is looked
/// for here only where there is something to be refused: else the body is read once, by the handler.
std::optional<http::Response> refuse_head(const http::Request& request, Version version) {
    auto refusal = refuse_version(request, version);
    if (!refusal) return std::nullopt;
    if (auto bad_json = refuse_bad_json(request)) return bad_json;
    return refusal;
}

// A named coroutine that owns its arguments, as its handler would not be there when a lambda's closure is gone.
http::net::awaitable<http::Response> guarded(Later handler, std::shared_ptr<const Services> services,
                                             http::Request request, bool is_sure) {
    try {
        co_return doubted(co_await handler(std::move(services), std::move(request)), is_sure);
    } catch (...) {
        co_return doubted(answer_of_exception(), is_sure);
    }
}

http::net::awaitable<http::Response> at_once(http::Response response) {
    co_return response;
}

}  // namespace

http::Response answer_of_standby(const Access::Standing& standing, const http::Request& request) {
    if (standing.active_url.empty())
        return failure_response(std::make_exception_ptr(
            Error(ErrorKind::unavailable, EAGAIN, "taskd", "this ceph-taskd is not serving yet: " + standing.state)));
    http::Response response = http::error_response(303, "The active ceph-taskd is " + standing.active_url);
    response.headers.emplace_back("Location", standing.active_url + request.target);
    return response;
}

http::SyncHandler endpoint(Access access, Now handler, Version version) {
    return [access = std::move(access), handler = std::move(handler), version](const http::Request& request) {
        if (auto refusal = refuse_head(request, version)) return *std::move(refusal);
        const auto standing = access.standing();
        if (!standing.services) return answer_of_standby(standing, request);
        try {
            return doubted(handler(*standing.services, request), standing.is_sure);
        } catch (...) {
            return doubted(answer_of_exception(), standing.is_sure);
        }
    };
}

http::Handler endpoint(Access access, Later handler, Version version) {
    return [access = std::move(access), handler = std::move(handler), version](http::Request request) {
        if (auto refusal = refuse_head(request, version)) return at_once(*std::move(refusal));
        auto standing = access.standing();
        if (!standing.services) return at_once(answer_of_standby(standing, request));
        return guarded(handler, std::move(standing.services), std::move(request), standing.is_sure);
    };
}

}  // namespace taskd::api
