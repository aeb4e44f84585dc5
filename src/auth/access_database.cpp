#include "auth/access_database.hpp"

#include "core/whole_number.hpp"

#include <algorithm>
#include <cerrno>

#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>
#include <taskd/error.hpp>

namespace taskd::auth {
namespace {

using nlohmann::json;

/// Seconds since 1970, or null.
std::optional<std::int64_t> seconds_at(const json& object, const char* member) {
    const auto found = object.find(member);
    if (found == object.end() || found->is_null()) return std::nullopt;
    if (const auto seconds = whole_number(*found)) return seconds;
    throw BadRequest(member, "expected seconds since 1970");
}

using Roles = std::map<std::string, Permissions, std::less<>>;

Roles custom_roles(const json& document) {
    Roles roles;
    const auto found = document.find("roles");
    if (found == document.end() || !found->is_object()) return roles;
    for (const auto& [name, role] : found->items())
        if (role.is_object() && role.contains("scopes_permissions"))
            roles.emplace(name, Permissions::parse(role["scopes_permissions"]));
    return roles;
}

User user_of(const std::string& name, const json& record, const Roles& custom) {
    User user;
    user.name = name;
    user.password_hash = record.at("password").get<std::string>();
    const auto last_update = seconds_at(record, "lastUpdate");
    if (!last_update) throw BadRequest("lastUpdate", "missing");
    user.last_update = *last_update;
    user.is_enabled = record.value("enabled", true);
    user.must_change_password = record.value("pwdUpdateRequired", false);
    user.password_expires_at = seconds_at(record, "pwdExpirationDate");
    for (const auto& role : record.at("roles")) {
        const auto& role_name = role.get_ref<const std::string&>();
        // A custom role cannot have the name of one of the system's.
        if (const auto known = system_role(role_name)) {
            user.roles.push_back(*known);
        } else if (const auto own = custom.find(role_name); own != custom.end()) {
            user.roles.push_back(own->second);
        }
    }
    return user;
}

}  // namespace

bool User::may(Scope scope, Permission permission) const noexcept {
    return std::any_of(roles.begin(), roles.end(),
                       [&](const Permissions& role) { return role.allow(scope, permission); });
}

bool User::is_administrator() const noexcept {
    return std::any_of(roles.begin(), roles.end(), [](const Permissions& role) { return role.allow_everything(); });
}

Permissions User::permissions() const noexcept {
    Permissions result;
    for (const auto& role : roles) result.add(role);
    return result;
}

std::int64_t User::token_time(std::int64_t now) const noexcept {
    return last_update > now && last_update <= now + most_ahead.count() ? last_update : now;
}

std::shared_ptr<const User> trusted_user() {
    static const auto user = [] {
        User everybody;
        everybody.name = "(trusted)";
        everybody.roles.push_back(Permissions::everything());
        everybody.is_enabled = true;
        return std::make_shared<const User>(std::move(everybody));
    }();
    return user;
}

AccessDatabase AccessDatabase::parse(std::string_view text) {
    const auto document = json::parse(text, nullptr, false);
    const auto users = document.is_object() ? document.find("users") : document.end();
    if (!document.is_object() || users == document.end() || !users->is_object())
        throw Error(ErrorKind::internal, EBADMSG, "auth", "the database of users cannot be read");
    const auto roles = custom_roles(document);
    AccessDatabase database;
    for (const auto& [name, record] : users->items()) {
        try {
            database.users_.emplace(name, std::make_shared<const User>(user_of(name, record, roles)));
        } catch (const std::exception& problem) {
            spdlog::warn("auth: the record of user '{}' cannot be read; it cannot log in here: {}", name,
                         problem.what());
        }
    }
    return database;
}

std::shared_ptr<const User> AccessDatabase::find(std::string_view name) const {
    const auto found = users_.find(name);
    return found == users_.end() ? nullptr : found->second;
}

}  // namespace taskd::auth
