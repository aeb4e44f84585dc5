#include "api/endpoint.hpp"

#include "api/error_view.hpp"
#include "api/request_body.hpp"

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

// A named coroutine that owns its arguments, as its handler would not be there when a lambda's closure is gone.
http::net::awaitable<http::Response> guarded(http::Handler handler, http::Request request) {
    try {
        co_return co_await handler(std::move(request));
    } catch (const Unreadable& unreadable) {
        co_return unreadable.response;
    } catch (const Error&) {
        co_return failure_response(std::current_exception());
    }
}

http::net::awaitable<http::Response> at_once(http::Response response) {
    co_return response;
}

}  // namespace

http::SyncHandler endpoint(http::SyncHandler handler, Version version) {
    return [handler = std::move(handler), version](const http::Request& request) {
        if (auto refusal = refuse_version(request, version)) return *std::move(refusal);
        try {
            return handler(request);
        } catch (...) {
            return answer_of_exception();
        }
    };
}

http::Handler endpoint(http::Handler handler, Version version) {
    return [handler = std::move(handler), version](http::Request request) {
        if (auto refusal = refuse_version(request, version)) return at_once(*std::move(refusal));
        return guarded(handler, std::move(request));
    };
}

}  // namespace taskd::api
