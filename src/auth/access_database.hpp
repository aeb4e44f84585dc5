#pragma once

#include "auth/permissions.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace taskd::auth {

/// One who may log in. Immutable.
struct User {
    std::string name;
    std::string password_hash;       ///< As crypt(3) takes it.
    std::vector<Permissions> roles;  ///< What each of its roles allows.
    std::int64_t last_update = 0;    ///< Seconds since the epoch; tokens issued before are void.
    bool is_enabled = false;
    bool must_change_password = false;                ///< Logs in, and may do nothing else.
    std::optional<std::int64_t> password_expires_at;  ///< Seconds since the epoch.

    /// Whether one role alone allows it: roles do not add up.
    bool may(Scope scope, Permission permission) const noexcept;
    /// Whether one role allows everything.
    bool is_administrator() const noexcept;
    /// What the roles allow together, as the dashboard shows it.
    Permissions permissions() const noexcept;
};

/// Who root and the daemon's own user are at the Unix socket, and everybody without authentication.
std::shared_ptr<const User> trusted_user();

/// The dashboard's users and roles. Immutable.
class AccessDatabase {
  public:
    AccessDatabase() = default;
    /// Of the text of the config-key `mgr/dashboard/accessdb_v2`. A user or role that cannot be read is left out.
    /// @throws Error  it is no such database
    /// @source dashboard-contract.md 1.4
    static AccessDatabase parse(std::string_view text);

    /// Null when there is no such user.
    std::shared_ptr<const User> find(std::string_view name) const;

  private:
    std::map<std::string, std::shared_ptr<const User>, std::less<>> users_;
};

}  // namespace taskd::auth
