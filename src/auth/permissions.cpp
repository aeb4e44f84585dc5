#include "auth/permissions.hpp"

#include <algorithm>
#include <string>

#include <nlohmann/json.hpp>

namespace taskd::auth {
namespace {

using nlohmann::json;

constexpr std::array<std::string_view, scope_count> scope_names{
    "hosts",      "config-opt", "pool",    "osd", "monitor", "rbd-image",  "iscsi", "rbd-mirroring",
    "rgw",        "cephfs",     "manager", "log", "grafana", "prometheus", "user",  "dashboard-settings",
    "nfs-ganesha"};
constexpr std::array<std::string_view, permission_count> permission_names{"read", "create", "update", "delete"};
constexpr std::uint8_t all_four = 0b1111;

constexpr std::uint8_t bit(Permission permission) noexcept {
    return static_cast<std::uint8_t>(1U << static_cast<unsigned>(permission));
}

/// Everything in these scopes, and reading in those.
Permissions role(std::initializer_list<Scope> all, std::initializer_list<Scope> read) {
    Permissions result;
    for (const auto scope : all) result.add_all(scope);
    for (const auto scope : read) result.add(scope, Permission::read);
    return result;
}

Permissions read_only() {
    Permissions result;
    for (std::size_t i = 0; i < scope_count; ++i) {
        const auto scope = static_cast<Scope>(i);
        if (scope != Scope::dashboard_settings && scope != Scope::config_opt) result.add(scope, Permission::read);
    }
    return result;
}

}  // namespace

std::string_view to_string(Scope scope) noexcept {
    return scope_names[static_cast<std::size_t>(scope)];
}

std::string_view to_string(Permission permission) noexcept {
    return permission_names[static_cast<std::size_t>(permission)];
}

std::optional<Scope> scope_from(std::string_view text) noexcept {
    const auto found = std::find(scope_names.begin(), scope_names.end(), text);
    if (found == scope_names.end()) return std::nullopt;
    return static_cast<Scope>(found - scope_names.begin());
}

std::optional<Permission> permission_from(std::string_view text) noexcept {
    const auto found = std::find(permission_names.begin(), permission_names.end(), text);
    if (found == permission_names.end()) return std::nullopt;
    return static_cast<Permission>(found - permission_names.begin());
}

Permissions Permissions::parse(const json& scopes) {
    Permissions result;
    if (!scopes.is_object()) return result;
    for (const auto& [name, list] : scopes.items()) {
        const auto scope = scope_from(name);
        if (!scope || !list.is_array()) continue;
        for (const auto& entry : list)
            if (entry.is_string())
                if (const auto permission = permission_from(entry.get_ref<const std::string&>()))
                    result.add(*scope, *permission);
    }
    return result;
}

Permissions Permissions::everything() noexcept {
    Permissions result;
    result.bits_.fill(all_four);
    return result;
}

void Permissions::add(Scope scope, Permission permission) noexcept {
    bits_[static_cast<std::size_t>(scope)] |= bit(permission);
}

void Permissions::add_all(Scope scope) noexcept {
    bits_[static_cast<std::size_t>(scope)] = all_four;
}

void Permissions::add(const Permissions& other) noexcept {
    for (std::size_t i = 0; i < scope_count; ++i) bits_[i] |= other.bits_[i];
}

bool Permissions::allow(Scope scope, Permission permission) const noexcept {
    return (bits_[static_cast<std::size_t>(scope)] & bit(permission)) != 0;
}

bool Permissions::allow_everything() const noexcept {
    return std::all_of(bits_.begin(), bits_.end(), [](std::uint8_t bits) { return bits == all_four; });
}

json Permissions::to_json() const {
    json result = json::object();
    for (std::size_t i = 0; i < scope_count; ++i)
        for (std::size_t p = 0; p < permission_names.size(); ++p)
            if (allow(static_cast<Scope>(i), static_cast<Permission>(p)))
                result[std::string(scope_names[i])].push_back(permission_names[p]);
    return result;
}

std::optional<Permissions> system_role(std::string_view name) {
    using enum Scope;
    if (name == "administrator") return Permissions::everything();
    if (name == "read-only") return read_only();
    if (name == "block-manager") return role({rbd_image, iscsi, rbd_mirroring}, {Scope::pool, grafana});
    if (name == "pool-manager") return role({Scope::pool}, {grafana});
    if (name == "cluster-manager") return role({hosts, osd, monitor, manager, config_opt, log}, {grafana});
    if (name == "rgw-manager") return role({rgw}, {grafana});
    if (name == "cephfs-manager") return role({cephfs}, {grafana});
    if (name == "ganesha-manager") return role({nfs_ganesha, cephfs, rgw}, {grafana});
    return std::nullopt;
}

const std::array<std::string_view, 8>& system_role_names() noexcept {
    static constexpr std::array<std::string_view, 8> names{"administrator",  "read-only",       "block-manager",
                                                           "rgw-manager",    "cluster-manager", "pool-manager",
                                                           "cephfs-manager", "ganesha-manager"};
    return names;
}

std::string_view system_role_description(std::string_view name) noexcept {
    if (name == "administrator") return "may do everything";
    if (name == "read-only") return "may look at everything but the settings";
    if (name == "block-manager") return "may do everything with images, their mirroring and iSCSI";
    if (name == "rgw-manager") return "may do everything with the object gateway";
    if (name == "cluster-manager") return "may do everything with hosts, daemons, configuration and logs";
    if (name == "pool-manager") return "may do everything with pools";
    if (name == "cephfs-manager") return "may do everything with file systems";
    if (name == "ganesha-manager") return "may do everything with NFS and what it exports";
    return {};
}

}  // namespace taskd::auth
