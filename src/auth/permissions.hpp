#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace taskd::auth {

/// What a permission is about, in the dashboard's words ("rbd-image"). @source dashboard-contract.md 1.6
enum class Scope : std::uint8_t {
    hosts,
    config_opt,
    pool,
    osd,
    monitor,
    rbd_image,
    iscsi,
    rbd_mirroring,
    rgw,
    cephfs,
    manager,
    log,
    grafana,
    prometheus,
    user,
    dashboard_settings,
    nfs_ganesha,
};
inline constexpr std::size_t scope_count = 17;

enum class Permission : std::uint8_t { read, create, update, remove };  ///< The last is "delete" in text.
inline constexpr std::size_t permission_count = 4;

std::string_view to_string(Scope scope) noexcept;
std::string_view to_string(Permission permission) noexcept;
std::optional<Scope> scope_from(std::string_view text) noexcept;
std::optional<Permission> permission_from(std::string_view text) noexcept;

/// What one role allows.
class Permissions {
  public:
    /// `{"rbd-image": ["read", …], …}`; what this version does not know allows nothing.
    static Permissions parse(const nlohmann::json& scopes);
    static Permissions everything() noexcept;

    void add(Scope scope, Permission permission) noexcept;
    void add_all(Scope scope) noexcept;
    void add(const Permissions& other) noexcept;

    bool allow(Scope scope, Permission permission) const noexcept;
    bool allow_everything() const noexcept;

    nlohmann::json to_json() const;

  private:
    std::array<std::uint8_t, scope_count> bits_{};
};

/// Of a role that every cluster has; none for another name.
std::optional<Permissions> system_role(std::string_view name);

/// Their names, in the order in which the dashboard lists them.
const std::array<std::string_view, 8>& system_role_names() noexcept;
/// What a role that every cluster has is for, in a few words.
std::string_view system_role_description(std::string_view name) noexcept;

}  // namespace taskd::auth
