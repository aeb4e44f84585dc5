#pragma once

#include "auth/access_database.hpp"

#include <span>
#include <string_view>

namespace taskd::api {

/// What a route asks of its caller.
struct Right {
    enum class Kind {
        open,      ///< Nothing: whoever can connect.
        any_user,  ///< A login; its controller looks further.
        metrics,   ///< Nothing of those that MetricsReaders includes, of others what `scoped` does.
        scoped,    ///< One role with `permission` in `scope`.
    };
    Kind kind = Kind::scoped;
    auth::Scope scope = auth::Scope::rbd_image;
    auth::Permission permission = auth::Permission::read;
};

struct RouteRight {
    std::string_view method;
    std::string_view pattern;
    Right right;
};

/// Of each route that there is, in one table.
std::span<const RouteRight> route_rights();

/// One line of it.
/// @throws std::invalid_argument  the route is not in the table: none can be forgotten
/// @source dashboard-contract.md 1.6
Right right_of(std::string_view method, std::string_view pattern);

/// Whether a caller may see a task of that name: who may read what it is about, or could have started it.
bool may_see(const auth::User& caller, std::string_view task_name);
/// Whether a caller may end a task of that name: who could have started it.
bool may_start(const auth::User& caller, std::string_view task_name);

}  // namespace taskd::api
