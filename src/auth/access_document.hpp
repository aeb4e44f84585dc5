#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace taskd::auth {

struct NewUser {
    std::string username;
    std::string password_hash;         ///< As crypt(3) takes it.
    std::optional<std::string> role;   ///< None: may log in and nothing else.
    std::optional<std::string> name;   ///< Of the person.
    std::optional<std::string> email;  ///< Of the person.
    bool is_enabled = true;
    bool must_change_password = false;
    std::optional<std::int64_t> password_expires_at;  ///< Seconds since the epoch.
};

/// The users and roles of ceph-taskd's own, to be looked at and changed: the same document as the dashboard's, of which
/// AccessDatabase is what the daemon makes. Members of records that this version does not know are kept.
///
/// What is shown of a user or role is its record, as the dashboard prints it. Every change takes the time, in seconds
/// since the epoch, and voids the older tokens of those whom it concerns. All members throw Error with the errno that
/// `ceph dashboard ac-user-…` and `ac-role-…` end with: ENOENT (no such user or role, or it does not have that),
/// EEXIST (there is such a user or role), EPERM (a role of the system, or one that a user has), EINVAL.
/// @thread  One.
/// @source  dashboard-contract.md 1.4; the answers of `ceph dashboard` 16.2.15
class AccessDocument {
  public:
    using Record = nlohmann::ordered_json;

    /// Of nobody.
    AccessDocument();
    /// @throws Error EBADMSG (it is no such document)
    static AccessDocument parse(std::string_view text);
    std::string text() const;

    Record user_names() const;
    const Record& user(const std::string& name) const;
    bool has_user(const std::string& name) const;
    const Record& create_user(const NewUser& wanted, std::int64_t now);
    void delete_user(const std::string& name);
    const Record& enable_user(const std::string& name, bool enabled, std::int64_t now);
    const Record& set_password_hash(const std::string& name, const std::string& hash, std::int64_t now);
    const Record& set_roles(const std::string& name, const std::vector<std::string>& wanted, std::int64_t now);
    const Record& add_roles(const std::string& name, const std::vector<std::string>& wanted, std::int64_t now);
    const Record& delete_roles(const std::string& name, const std::vector<std::string>& unwanted, std::int64_t now);
    /// Empty texts change nothing.
    const Record& set_info(const std::string& name, const std::string& person, const std::string& email);

    /// First our own, then those of the system.
    Record role_names() const;
    Record role(const std::string& name) const;
    /// @throws Error ENOENT (there is no such role, of ours or the system's)
    void require_role(const std::string& name) const;
    const Record& create_role(const std::string& name, const std::optional<std::string>& description);
    void delete_role(const std::string& name);
    /// In place of those that the role has in this scope.
    const Record& set_scope_permissions(const std::string& name, const std::string& scope,
                                        std::vector<std::string> permissions, std::int64_t now);
    const Record& delete_scope_permissions(const std::string& name, const std::string& scope, std::int64_t now);

  private:
    Record& users();
    const Record& users() const;
    Record& roles();
    const Record& roles() const;
    Record& user_to_change(const std::string& name);
    Record& role_to_change(const std::string& name);
    void touch_users_of(const std::string& role, std::int64_t now);

    Record document_;
};

/// What `lastUpdate` of a record becomes that is changed now: a little later, so that a token that is given by the
/// record as it was, while the change is on its way to the daemon, is void as well; and later than it was, so that a
/// token that was given right after the change before is.
std::int64_t update_time(std::int64_t now, std::int64_t before) noexcept;

}  // namespace taskd::auth
