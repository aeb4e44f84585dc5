#include "api/endpoint.hpp"
#include "api/guard.hpp"
#include "api/request_body.hpp"
#include "api/routes.hpp"
#include "api/task_listing.hpp"
#include "api/task_response.hpp"
#include "api/task_view.hpp"

#include <charconv>
#include <optional>

#include <nlohmann/json.hpp>
#include <taskd/error.hpp>

namespace taskd::api {
namespace {

constexpr std::chrono::seconds longest_wait{300};

/// Of the live tasks; null when it is none of them. One that the caller may not see is none.
std::shared_ptr<Task> find_task(const Services& services, const http::Request& request) {
    auto task = services.tasks.find_by_id(request.param("id"));
    return task && may_see(caller_of(request), task->name()) ? task : nullptr;
}

/// Of those that ended earlier.
std::optional<nlohmann::json> find_kept(const Services& services, const http::Request& request) {
    if (services.history == nullptr) return std::nullopt;
    auto view = services.history->find(request.param("id"));
    return view && may_see(caller_of(request), view->at("name").get_ref<const std::string&>()) ? view : std::nullopt;
}

/// A task that is neither executing nor kept. "Not found" is a promise: it never will be there. It was accepted only if
/// it ended so long ago that the history has let go of it.
[[noreturn]] void refuse_unknown(const Services& services, const std::string& id) {
    if (services.journal && services.journal->is_undecided(id))
        throw Error(ErrorKind::unavailable, EAGAIN, "taskd",
                    "task " + id + " was refused and is being taken back from the journal: ask again");
    throw Error(ErrorKind::not_found, ENOENT, "taskd", "there is no task " + id);
}

http::Response list_tasks(const Services& services, const http::Request& request) {
    require_known_query(request, {"name", "detail"});
    const auto glob = query_value(request, "name").value_or("");
    const auto& caller = caller_of(request);
    if (!query_flag(request, "detail"))
        return json_text_response(all_tasks_text(services, caller, glob, nlohmann::json::object()));
    // Ours alone: those of the mgr have no id and none of the keys that are told here.
    auto tasks = services.tasks.list(glob);
    keep_visible(tasks, caller);
    return json_response(detailed_list(tasks));
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
    const auto task = find_task(*services, request);
    if (!task) {
        if (auto kept = find_kept(*services, request)) co_return json_response(kept_task_detail(*std::move(kept)));
        refuse_unknown(*services, request.param("id"));
    }
    if (const auto wait = wait_of(request); wait.count() > 0) co_await wait_for_task(task, wait);
    co_return json_response(task_detail(*task, caller_of(request)));
}

http::Response cancel(const Services& services, const http::Request& request) {
    require_known_query(request, {"force"});
    const bool force = query_flag(request, "force");
    const auto task = find_task(services, request);
    const auto kept = task ? std::nullopt : find_kept(services, request);
    if (!task && !kept) refuse_unknown(services, request.param("id"));
    const auto name = task ? task->name() : kept->at("name").get<std::string>();
    const auto& caller = caller_of(request);
    if (caller.must_change_password || !may_start(caller, name)) return forbidden_response();
    if (!task || task->is_finished())
        throw Error(ErrorKind::conflict, EALREADY, "taskd", "task " + request.param("id") + " has finished already");
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
