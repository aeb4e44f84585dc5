#pragma once

#include "api/services.hpp"
#include "http/router.hpp"

namespace taskd::api {

/// All routes of the daemon.
http::Router make_router(const Access& access);
/// The same for services that are always there.
http::Router make_router(const Services& services);

// One function a controller; each adds its own routes.
void add_auth_routes(http::Router& router, const Access& access);
void add_task_routes(http::Router& router, const Access& access);
void add_task_event_routes(http::Router& router, const Access& access);
void add_history_routes(http::Router& router, const Access& access);
void add_summary_routes(http::Router& router, const Access& access);
void add_image_routes(http::Router& router, const Access& access);
void add_image_list_routes(http::Router& router, const Access& access);
void add_mirroring_view_routes(http::Router& router, const Access& access);
void add_mirroring_change_routes(http::Router& router, const Access& access);
void add_image_change_routes(http::Router& router, const Access& access);
void add_snapshot_routes(http::Router& router, const Access& access);
void add_trash_routes(http::Router& router, const Access& access);
void add_namespace_routes(http::Router& router, const Access& access);
void add_pool_routes(http::Router& router, const Access& access);
void add_command_routes(http::Router& router, const Access& access);
void add_health_routes(http::Router& router, const Access& access);
void add_metrics_routes(http::Router& router, const Access& access);
void add_openapi_routes(http::Router& router);
void add_page_routes(http::Router& router, const Access& access);

}  // namespace taskd::api
