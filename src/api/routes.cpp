#include "api/routes.hpp"

namespace taskd::api {

http::Router make_router(const Services& services) {
    http::Router router;
    add_task_routes(router, services);
    add_summary_routes(router, services);
    add_image_routes(router, services);
    add_command_routes(router, services);
    return router;
}

}  // namespace taskd::api
