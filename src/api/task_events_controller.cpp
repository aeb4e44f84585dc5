#include "api/endpoint.hpp"
#include "api/guard.hpp"
#include "api/request_body.hpp"
#include "api/routes.hpp"
#include "api/task_events.hpp"

namespace taskd::api {
namespace {

http::net::awaitable<http::Response> watch_tasks(std::shared_ptr<const Services> services, http::Request request) {
    require_known_query(request, {});
    if (services->events == nullptr) co_return http::not_found_response(request);
    http::Response response;
    response.content_type = event_stream_type;
    // Nobody between us and the client is to keep any of it, nginx in particular.
    response.headers.emplace_back("Cache-Control", "no-cache");
    response.headers.emplace_back("X-Accel-Buffering", "no");
    auto* const events = services->events;
    const std::string last_event_id(request.header("Last-Event-ID").value_or(std::string_view()));
    // The stream keeps the services for as long as it is there.
    response.stream = events->view(last_event_id, [services = std::move(services), request = std::move(request)] {
        return caller_now(*services, request);
    });
    co_return response;
}

}  // namespace

void add_task_event_routes(http::Router& router, const Access& access) {
    router.add("GET", "/api/task/events",
               endpoint(access, Later(watch_tasks), Version{.accepts_too = event_stream_type}));
}

}  // namespace taskd::api
