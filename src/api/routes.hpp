#pragma once

#include "api/services.hpp"
#include "http/router.hpp"

namespace taskd::api {

/// All routes of the daemon.
http::Router make_router(const Services& services);

// One function a controller; each adds its own routes.
void add_task_routes(http::Router& router, const Services& services);
void add_summary_routes(http::Router& router, const Services& services);
void add_image_routes(http::Router& router, const Services& services);
void add_command_routes(http::Router& router, const Services& services);

}  // namespace taskd::api
