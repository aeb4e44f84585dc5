#include "api/endpoint.hpp"
#include "api/guard.hpp"
#include "api/request_body.hpp"
#include "api/routes.hpp"
#include "api/task_response.hpp"
#include "api/task_view.hpp"

#include <charconv>

#include <nlohmann/json.hpp>
#include <taskd/error.hpp>

namespace taskd::api {
namespace {

constexpr std::chrono::seconds longest_wait{300};

/// One that the caller may not see is none.
std::shared_ptr<Task> require_task(const Services& services, const http::Request& request) {
    const auto& id = request.param("id");
    auto task = services.tasks.find_by_id(id);
    if (!task || !may_see(caller_of(request), task->name()))
        throw Error(ErrorKind::not_found, ENOENT, "taskd", "no task " + id + " is executing or still listed");
    return task;
}

http::Response list_tasks(const Services& services, const http::Request& request) {
    require_known_query(request, {"name", "detail"});
    const auto glob = query_value(request, "name").value_or("");
    auto tasks = services.tasks.list(glob);
    keep_visible(tasks, caller_of(request));
    return query_flag(request, "detail") ? json_response(detailed_list(tasks))
                                         : json_text_response(list_text(tasks, nlohmann::json::object()));
}

std::chrono::milliseconds wait_of(const http::Request& request) {
    const auto text = query_value(request, "wait");
    if (!text) return std::chrono::milliseconds(0);
    double seconds = 0;
    const auto end = std::from_chars(text->data(), text->data() + text->size(), seconds);
    if (end.ec != std::errc() || end.ptr != text->data() + text->size() || !(seconds >= 0))
        throw BadRequest("wait", "expected seconds, 0 or more");
    return std::chrono::milliseconds(
        static_cast<std::int64_t>(std::min(seconds, static_cast<double>(longest_wait.count())) * 1000));
}

http::net::awaitable<http::Response> show(std::shared_ptr<const Services> services, http::Request request) {
    require_known_query(request, {"wait"});
    const auto task = require_task(*services, request);
    if (const auto wait = wait_of(request); wait.count() > 0) co_await wait_for_task(task, wait);
    co_return json_response(task_detail(*task, caller_of(request)));
}

http::Response cancel(const Services& services, const http::Request& request) {
    require_known_query(request, {"force"});
    const bool force = query_flag(request, "force");
    const auto task = require_task(services, request);
    const auto& caller = caller_of(request);
    if (caller.must_change_password || !may_start(caller, task->name())) return forbidden_response();
    if (task->is_finished())
        throw Error(ErrorKind::conflict, EALREADY, "taskd", "task " + task->id() + " has finished already");
    task->cancel(force);
    auto response = json_response(task_detail(*task));
    response.status = 202;
    return response;
}

}  // namespace

void add_task_routes(http::Router& router, const Access& access) {
    router.add("GET", "/api/task", endpoint(access, Now(list_tasks)));
    router.add("GET", "/api/task/{id}", endpoint(access, Later(show)));
    router.add("DELETE", "/api/task/{id}", endpoint(access, Now(cancel)));
}

}  // namespace taskd::api
