#include "api/routes.hpp"

#include "api/guard.hpp"

namespace taskd::api {

http::Router make_router(const Access& access) {
    http::Router router([access](std::string_view method, std::string_view pattern, http::Route route) {
        return guarded(access, right_of(method, pattern), std::move(route));
    });
    add_auth_routes(router, access);
    add_task_routes(router, access);
    add_task_event_routes(router, access);
    add_history_routes(router, access);
    add_summary_routes(router, access);
    add_image_routes(router, access);
    add_image_list_routes(router, access);
    add_mirroring_view_routes(router, access);
    add_mirroring_change_routes(router, access);
    add_image_change_routes(router, access);
    add_snapshot_routes(router, access);
    add_trash_routes(router, access);
    add_namespace_routes(router, access);
    add_pool_routes(router, access);
    add_command_routes(router, access);
    add_health_routes(router, access);
    if (access.meters) add_metrics_routes(router, access);
    add_openapi_routes(router);
    add_page_routes(router, access);
    return router;
}

http::Router make_router(const Services& services) {
    return make_router(Access{[shared = std::make_shared<const Services>(services)] {
        return Access::Standing{shared, {}, "active"};
    }});
}

}  // namespace taskd::api
