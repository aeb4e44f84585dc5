#include "rbd/operation.hpp"

#include <algorithm>
#include <utility>

namespace taskd::rbd {

std::string_view to_string(Access access) noexcept {
    switch (access) {
        case Access::read:
            return "read";
        case Access::create:
            return "create";
        case Access::update:
            return "update";
        case Access::remove:
            return "delete";
    }
    return "delete";  // unreachable; the strictest
}

std::optional<ImageIdSpec> image_id_of(const Operation& operation, const nlohmann::json& arguments) {
    if (operation.image_by_id != nullptr) return operation.image_by_id(arguments);
    if (operation.bound_image == nullptr) return std::nullopt;
    auto id = arguments.value("image_id", std::string{});
    if (id.empty()) return std::nullopt;
    auto image = operation.bound_image(arguments);
    return ImageIdSpec{std::move(image.pool), std::move(image.ns), std::move(id)};
}

OperationRegistry::OperationRegistry(std::vector<const Operation*> operations) : operations_(std::move(operations)) {}

const Operation* OperationRegistry::find(std::string_view name) const noexcept {
    const auto found =
        std::find_if(operations_.begin(), operations_.end(), [name](auto* o) { return o->name == name; });
    return found == operations_.end() ? nullptr : *found;
}

const OperationRegistry& OperationRegistry::builtin() {
    static const OperationRegistry registry({&create_operation,
                                             &delete_operation,
                                             &delete_plan_operation,
                                             &snapshot_create_operation,
                                             &snapshot_edit_operation,
                                             &snapshot_delete_operation,
                                             &snapshot_purge_operation,
                                             &snapshot_rollback_operation,
                                             &clone_operation,
                                             &trash_move_operation,
                                             &trash_restore_operation,
                                             &trash_remove_operation,
                                             &trash_purge_operation,
                                             &flatten_operation,
                                             &edit_operation,
                                             &copy_operation,
                                             &deep_copy_operation,
                                             &resize_operation,
                                             &sparsify_operation,
                                             &object_map_rebuild_operation,
                                             &migration_prepare_operation,
                                             &migration_execute_operation,
                                             &migration_commit_operation,
                                             &migration_abort_operation,
                                             &namespace_create_operation,
                                             &namespace_delete_operation,
                                             &mirroring_site_name_edit_operation,
                                             &mirroring_pool_edit_operation,
                                             &mirroring_peer_add_operation,
                                             &mirroring_peer_edit_operation,
                                             &mirroring_peer_delete_operation,
                                             &mirroring_bootstrap_import_operation});
    return registry;
}

}  // namespace taskd::rbd
