#include "api/operation_request.hpp"

#include "api/guard.hpp"
#include "api/request_body.hpp"
#include "api/task_response.hpp"

#include <charconv>

#include <taskd/error.hpp>

namespace taskd::api {
namespace {

constexpr std::int64_t longest_deadline_s = std::int64_t{366} * 24 * 3600;

worker::WorkOptions work_options(const http::Request& request) {
    worker::WorkOptions options;
    options.owner = caller_of(request).name;
    if (const auto priority = query_value(request, "priority")) options.priority = worker::priority_from(*priority);
    if (const auto deadline = query_value(request, "deadline")) {
        std::int64_t seconds = 0;
        const auto end = std::from_chars(deadline->data(), deadline->data() + deadline->size(), seconds);
        if (end.ec != std::errc() || end.ptr != deadline->data() + deadline->size() || seconds < 1 ||
            seconds > longest_deadline_s)
            throw BadRequest("deadline", "expected seconds, 1 to " + std::to_string(longest_deadline_s));
        options.deadline = std::chrono::seconds(seconds);
    }
    return options;
}

}  // namespace

http::net::awaitable<http::Response> run_operation(const Services& services, std::string_view name,
                                                   nlohmann::json arguments, const http::Request& request,
                                                   int success) {
    const auto options = work_options(request);
    for (const auto* own : {"priority", "deadline"})
        if (query_value(request, own)) arguments.erase(own);
    auto task = services.operations.submit(name, arguments, options);
    return answer_with_task(std::move(task),
                            {wait_time(request, services.operations.operation(name).wait_for), success, {}});
}

}  // namespace taskd::api
