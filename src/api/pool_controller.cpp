#include "api/endpoint.hpp"
#include "api/error_view.hpp"
#include "api/guard.hpp"
#include "api/pool_plan.hpp"
#include "api/request_body.hpp"
#include "api/routes.hpp"
#include "api/task_response.hpp"
#include "ceph/journalled_executor.hpp"
#include "core/run_or_join.hpp"

#include <nlohmann/json.hpp>
#include <taskd/error.hpp>
#include <taskd/task.hpp>

namespace taskd::api {
namespace {

constexpr std::chrono::seconds pool_wait{2};

/// As of other tasks, but that the component is the pool whatever the daemon.
nlohmann::json pool_failure_view(std::exception_ptr error, const Task& task) {
    auto view = task_failure_view(std::move(error), task);
    if (view["component"] == "mon") view["component"] = "pool";
    return view;
}

http::net::awaitable<http::Response> run_plan(const Services& services, std::string name, std::string pool,
                                              ceph::CommandPlan plan, nlohmann::json arguments,
                                              const http::Request& request, int success) {
    RunOptions options;
    options.exception_handler = pool_failure_view;
    options.arguments = arguments;
    options.owner = caller_of(request).name;
    options.executor = std::make_unique<ceph::CommandPlanExecutor>(services.commands, std::move(plan));
    if (services.journal) {
        ceph::TaskRecord record;
        record.kind = ceph::TaskRecord::Kind::command;
        record.arguments = std::move(arguments);
        options.accepted = false;
        options.executor = std::make_unique<ceph::JournalledExecutor>(std::move(options.executor), services.journal,
                                                                      record, ceph::JournalledExecutor::Record::is_new);
    }
    auto task = run_or_join(
        services.tasks, std::move(name), {{"pool_name", std::move(pool)}}, [] { return nullptr; }, std::move(options));
    return answer_with_task(std::move(task), {wait_time(request, pool_wait), success, {}});
}

http::net::awaitable<http::Response> create_pool(std::shared_ptr<const Services> services, http::Request request) {
    auto arguments = read_arguments(request);
    auto plan = plan_pool_create(arguments);
    std::string pool = arguments["pool"];
    return run_plan(*services, "pool/create", std::move(pool), std::move(plan), std::move(arguments), request, 201);
}

http::net::awaitable<http::Response> edit_pool(std::shared_ptr<const Services> services, http::Request request) {
    auto arguments = read_arguments(request);
    auto plan = plan_pool_edit(request.param("pool_name"), arguments);
    return run_plan(*services, "pool/edit", request.param("pool_name"), std::move(plan), std::move(arguments), request,
                    200);
}

http::net::awaitable<http::Response> remove_pool(std::shared_ptr<const Services> services, http::Request request) {
    require_known_query(request, {});
    return run_plan(*services, "pool/delete", request.param("pool_name"), plan_pool_delete(request.param("pool_name")),
                    nlohmann::json::object(), request, 204);
}

}  // namespace

void add_pool_routes(http::Router& router, const Access& access) {
    router.add("POST", "/api/pool", endpoint(access, Later(create_pool)));
    router.add("PUT", "/api/pool/{pool_name}", endpoint(access, Later(edit_pool)));
    router.add("DELETE", "/api/pool/{pool_name}", endpoint(access, Later(remove_pool)));
}

}  // namespace taskd::api
