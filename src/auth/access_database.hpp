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

/// How long a change of users takes at most until every ceph-taskd knows of it.
inline constexpr std::chrono::seconds change_takes{2};
/// How far ahead of the clock the time of a user's last change may be, and that of a token.
inline constexpr std::chrono::seconds most_ahead{60};

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
    /// What a token that is given now says of its time, so that a change of the user a moment ago does not void it.
    /// @param now  Seconds since the epoch.
    std::int64_t token_time(std::int64_t now) const noexcept;
};

/// Who root and the daemon's own user are at the Unix socket, and everybody without authentication.
std::shared_ptr<const User> trusted_user();

/// Users and roles, the dashboard's or our own. Immutable.
class AccessDatabase {
  public:
    AccessDatabase() = default;
    /// Of the text of the config-key `mgr/dashboard/accessdb_v2`, or of our own in its form. A user or role that cannot
    /// be read is left out.
    /// @throws Error  it is no such database
    /// @source dashboard-contract.md 1.4
    static AccessDatabase parse(std::string_view text);

    /// Null when there is no such user.
    std::shared_ptr<const User> find(std::string_view name) const;
    bool is_empty() const noexcept { return users_.empty(); }
    /// By their names.
    const std::map<std::string, std::shared_ptr<const User>, std::less<>>& all() const noexcept { return users_; }

  private:
    std::map<std::string, std::shared_ptr<const User>, std::less<>> users_;
};

}  // namespace taskd::auth
