#include "api/endpoint.hpp"
#include "api/guard.hpp"
#include "api/request_body.hpp"
#include "api/routes.hpp"
#include "api/task_response.hpp"

#include <charconv>

#include <nlohmann/json.hpp>
#include <taskd/error.hpp>

namespace taskd::api {
namespace {

constexpr std::size_t most_at_once = 1000;

std::size_t number(const http::Request& request, std::string_view name, std::size_t otherwise, std::size_t most) {
    const auto text = query_value(request, name);
    if (!text) return otherwise;
    std::size_t value = 0;
    const auto end = std::from_chars(text->data(), text->data() + text->size(), value);
    if (end.ec != std::errc() || end.ptr != text->data() + text->size() || value > most)
        throw BadRequest(name, "expected a number from 0 to " + std::to_string(most));
    return value;
}

std::string time(const http::Request& request, std::string_view name) {
    const auto text = query_value(request, name);
    if (!text || text->empty()) return {};
    try {
        return format_utc(parse_utc(*text));
    } catch (const BadRequest& mistake) {
        throw BadRequest(name, mistake.what());
    }
}

std::optional<bool> wanted_success(const http::Request& request) {
    const auto state = query_value(request, "state");
    if (!state || state->empty()) return std::nullopt;
    if (*state == "failed") return false;
    if (*state == "success") return true;
    throw BadRequest("state", "expected failed or success");
}

http::Response search(const Services& services, const http::Request& request) {
    require_known_query(request, {"name", "state", "search", "since", "until", "limit", "offset"});
    if (services.history == nullptr)
        throw Error(ErrorKind::unavailable, ENOTSUP, "taskd",
                    "this ceph-taskd runs without a journal and keeps no history");
    ceph::HistoryQuery query;
    query.name_glob = query_value(request, "name").value_or("");
    query.success = wanted_success(request);
    query.text = query_value(request, "search").value_or("");
    query.since = time(request, "since");
    query.until = time(request, "until");
    query.limit = number(request, "limit", query.limit, most_at_once);
    query.offset = number(request, "offset", 0, std::size_t{1} << 31U);
    if (const auto& caller = caller_of(request); !caller.is_administrator())
        query.may_see = [&caller](const std::string& name) { return may_see(caller, name); };
    return json_response(services.history->search(query));
}

}  // namespace

void add_history_routes(http::Router& router, const Access& access) {
    router.add("GET", "/api/task/history", endpoint(access, Now(search)));
}

}  // namespace taskd::api
