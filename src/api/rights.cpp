#include "api/rights.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <stdexcept>
#include <string>

namespace taskd::api {
namespace {

using auth::Permission;
using auth::Scope;

constexpr Right open_to_all{Right::Kind::open};
constexpr Right any_user{Right::Kind::any_user};

constexpr Right needs(Scope scope, Permission permission) {
    return {Right::Kind::scoped, scope, permission};
}

// What the dashboard asks for; where it has no such route, what its own of the kind ask for.
constexpr std::array table{
    RouteRight{"GET", "/healthz", open_to_all},
    RouteRight{"GET", "/readyz", open_to_all},
    // Of no image, user or address.
    RouteRight{"GET", "/metrics", {Right::Kind::metrics, Scope::prometheus, Permission::read}},
    // The page holds no data.
    RouteRight{"GET", "/", open_to_all},
    RouteRight{"GET", "/assets/page.js", open_to_all},
    RouteRight{"GET", "/assets/page.css", open_to_all},
    RouteRight{"GET", "/assets/preact-htm.js", open_to_all},
    RouteRight{"GET", "/assets/pico.css", open_to_all},
    // So does what describes the routes.
    RouteRight{"GET", "/api/openapi.json", open_to_all},
    RouteRight{"POST", "/api/auth", open_to_all},
    RouteRight{"POST", "/api/auth/check", open_to_all},
    RouteRight{"POST", "/api/auth/logout", open_to_all},
    // Each shows a caller what the caller may see.
    RouteRight{"GET", "/api/task", any_user},
    RouteRight{"GET", "/api/task/history", any_user},
    RouteRight{"GET", "/api/task/events", any_user},
    RouteRight{"GET", "/api/task/{id}", any_user},
    RouteRight{"DELETE", "/api/task/{id}", any_user},
    RouteRight{"GET", "/api/summary", any_user},
    RouteRight{"POST", "/api/command", any_user},
    RouteRight{"GET", "/ui-api/block/rbd/status", any_user},

    RouteRight{"GET", "/api/block/image", needs(Scope::rbd_image, Permission::read)},
    RouteRight{"POST", "/api/block/image", needs(Scope::rbd_image, Permission::create)},
    RouteRight{"GET", "/api/block/image/clone_format_version", needs(Scope::rbd_image, Permission::read)},
    RouteRight{"GET", "/api/block/image/default_features", needs(Scope::rbd_image, Permission::read)},
    RouteRight{"GET", "/api/block/image/trash", needs(Scope::rbd_image, Permission::read)},
    RouteRight{"POST", "/api/block/image/trash/purge", needs(Scope::rbd_image, Permission::remove)},
    RouteRight{"POST", "/api/block/image/trash/{image_id_spec}/restore", needs(Scope::rbd_image, Permission::create)},
    RouteRight{"DELETE", "/api/block/image/trash/{image_id_spec}", needs(Scope::rbd_image, Permission::remove)},
    RouteRight{"GET", "/api/block/image/{image_spec}", needs(Scope::rbd_image, Permission::read)},
    RouteRight{"PUT", "/api/block/image/{image_spec}", needs(Scope::rbd_image, Permission::update)},
    RouteRight{"DELETE", "/api/block/image/{image_spec}", needs(Scope::rbd_image, Permission::remove)},
    RouteRight{"POST", "/api/block/image/{image_spec}/copy", needs(Scope::rbd_image, Permission::create)},
    RouteRight{"POST", "/api/block/image/{image_spec}/move_trash", needs(Scope::rbd_image, Permission::create)},
    RouteRight{"POST", "/api/block/image/{image_spec}/flatten", needs(Scope::rbd_image, Permission::update)},
    RouteRight{"POST", "/api/block/image/{image_spec}/deep_copy", needs(Scope::rbd_image, Permission::create)},
    RouteRight{"POST", "/api/block/image/{image_spec}/resize", needs(Scope::rbd_image, Permission::update)},
    RouteRight{"POST", "/api/block/image/{image_spec}/sparsify", needs(Scope::rbd_image, Permission::update)},
    RouteRight{"POST", "/api/block/image/{image_spec}/object_map/rebuild", needs(Scope::rbd_image, Permission::update)},
    RouteRight{"POST", "/api/block/image/{image_spec}/migration/prepare", needs(Scope::rbd_image, Permission::update)},
    RouteRight{"POST", "/api/block/image/{image_spec}/migration/execute", needs(Scope::rbd_image, Permission::update)},
    RouteRight{"POST", "/api/block/image/{image_spec}/migration/commit", needs(Scope::rbd_image, Permission::update)},
    RouteRight{"POST", "/api/block/image/{image_spec}/migration/abort", needs(Scope::rbd_image, Permission::update)},
    RouteRight{"POST", "/api/block/image/{image_spec}/snap", needs(Scope::rbd_image, Permission::create)},
    RouteRight{"POST", "/api/block/image/{image_spec}/snap/purge", needs(Scope::rbd_image, Permission::remove)},
    RouteRight{"PUT", "/api/block/image/{image_spec}/snap/{snapshot_name}",
               needs(Scope::rbd_image, Permission::update)},
    RouteRight{"DELETE", "/api/block/image/{image_spec}/snap/{snapshot_name}",
               needs(Scope::rbd_image, Permission::remove)},
    RouteRight{"POST", "/api/block/image/{image_spec}/snap/{snapshot_name}/rollback",
               needs(Scope::rbd_image, Permission::update)},
    RouteRight{"POST", "/api/block/image/{image_spec}/snap/{snapshot_name}/clone",
               needs(Scope::rbd_image, Permission::create)},
    RouteRight{"GET", "/api/block/pool/{pool_name}/namespace", needs(Scope::rbd_image, Permission::read)},
    RouteRight{"POST", "/api/block/pool/{pool_name}/namespace", needs(Scope::rbd_image, Permission::create)},
    RouteRight{"DELETE", "/api/block/pool/{pool_name}/namespace/{namespace}",
               needs(Scope::rbd_image, Permission::remove)},

    RouteRight{"GET", "/api/block/mirroring/site_name", needs(Scope::rbd_mirroring, Permission::read)},
    RouteRight{"GET", "/api/block/mirroring/pool/{pool_name}", needs(Scope::rbd_mirroring, Permission::read)},
    RouteRight{"GET", "/api/block/mirroring/pool/{pool_name}/peer", needs(Scope::rbd_mirroring, Permission::read)},
    RouteRight{"GET", "/api/block/mirroring/pool/{pool_name}/peer/{peer_uuid}",
               needs(Scope::rbd_mirroring, Permission::read)},
    RouteRight{"PUT", "/api/block/mirroring/site_name", needs(Scope::rbd_mirroring, Permission::update)},
    RouteRight{"PUT", "/api/block/mirroring/pool/{pool_name}", needs(Scope::rbd_mirroring, Permission::update)},
    RouteRight{"POST", "/api/block/mirroring/pool/{pool_name}/peer", needs(Scope::rbd_mirroring, Permission::create)},
    RouteRight{"PUT", "/api/block/mirroring/pool/{pool_name}/peer/{peer_uuid}",
               needs(Scope::rbd_mirroring, Permission::update)},
    RouteRight{"DELETE", "/api/block/mirroring/pool/{pool_name}/peer/{peer_uuid}",
               needs(Scope::rbd_mirroring, Permission::remove)},
    RouteRight{"POST", "/api/block/mirroring/pool/{pool_name}/bootstrap/token",
               needs(Scope::rbd_mirroring, Permission::update)},
    RouteRight{"POST", "/api/block/mirroring/pool/{pool_name}/bootstrap/peer",
               needs(Scope::rbd_mirroring, Permission::update)},
    RouteRight{"POST", "/api/pool", needs(Scope::pool, Permission::create)},
    RouteRight{"PUT", "/api/pool/{pool_name}", needs(Scope::pool, Permission::update)},
    RouteRight{"DELETE", "/api/pool/{pool_name}", needs(Scope::pool, Permission::remove)},
};

struct StartOf {
    std::string_view task;
    Right right;
};

/// By the end of a task's name what starting it asks for; what is in no line asks for changing images.
constexpr std::array image_starts{
    StartOf{"rbd/create", needs(Scope::rbd_image, Permission::create)},
    StartOf{"rbd/copy", needs(Scope::rbd_image, Permission::create)},
    StartOf{"rbd/deep_copy", needs(Scope::rbd_image, Permission::create)},
    StartOf{"rbd/clone", needs(Scope::rbd_image, Permission::create)},
    StartOf{"rbd/snap/create", needs(Scope::rbd_image, Permission::create)},
    StartOf{"rbd/trash/restore", needs(Scope::rbd_image, Permission::create)},
    StartOf{"rbd/namespace/create", needs(Scope::rbd_image, Permission::create)},
    StartOf{"rbd/delete", needs(Scope::rbd_image, Permission::remove)},
    StartOf{"rbd/delete/plan", needs(Scope::rbd_image, Permission::remove)},
    StartOf{"rbd/snap/delete", needs(Scope::rbd_image, Permission::remove)},
    StartOf{"rbd/snap/purge", needs(Scope::rbd_image, Permission::remove)},
    // The dashboard's summary shows a move to those who may delete, although the route asks for create.
    StartOf{"rbd/trash/move", needs(Scope::rbd_image, Permission::remove)},
    StartOf{"rbd/trash/remove", needs(Scope::rbd_image, Permission::remove)},
    StartOf{"rbd/trash/purge", needs(Scope::rbd_image, Permission::remove)},
    StartOf{"rbd/namespace/delete", needs(Scope::rbd_image, Permission::remove)},
    StartOf{"pool/create", needs(Scope::pool, Permission::create)},
    StartOf{"pool/edit", needs(Scope::pool, Permission::update)},
    StartOf{"pool/delete", needs(Scope::pool, Permission::remove)},
};

/// None: a task of no scope.
std::optional<Right> start_of(std::string_view task_name) {
    const auto found = std::find_if(image_starts.begin(), image_starts.end(),
                                    [&](const StartOf& start) { return start.task == task_name; });
    if (found != image_starts.end()) return found->right;
    if (task_name.starts_with("rbd/mirroring/")) return needs(Scope::rbd_mirroring, Permission::update);
    if (task_name.starts_with("rbd/")) return needs(Scope::rbd_image, Permission::update);
    return std::nullopt;
}

}  // namespace

std::span<const RouteRight> route_rights() {
    return table;
}

Right right_of(std::string_view method, std::string_view pattern) {
    const auto found = std::find_if(table.begin(), table.end(), [&](const RouteRight& entry) {
        return entry.method == method && entry.pattern == pattern;
    });
    if (found == table.end())
        throw std::invalid_argument("nobody says who may " + std::string(method) + " " + std::string(pattern));
    return found->right;
}

bool may_start(const auth::User& caller, std::string_view task_name) {
    const auto right = start_of(task_name);
    // A command can be anything, and its answer can hold anything.
    if (!right) return caller.is_administrator();
    return caller.may(right->scope, right->permission);
}

bool may_see(const auth::User& caller, std::string_view task_name) {
    const auto right = start_of(task_name);
    if (task_name == "command") return caller.is_administrator();
    if (!right) return true;  // the mgr's own work, of which everybody may know
    return caller.may(right->scope, right->permission) || caller.may(right->scope, Permission::read);
}

}  // namespace taskd::api
