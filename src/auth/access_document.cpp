#include "auth/access_document.hpp"

#include "auth/access_database.hpp"
#include "auth/dashboard_json.hpp"
#include "auth/permissions.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <taskd/error.hpp>

namespace taskd::auth {
namespace {

using Record = AccessDocument::Record;

Error no_such(const char* what, const std::string& name) {
    return {ErrorKind::not_found, ENOENT, "auth", std::string(what) + " '" + name + "' does not exist"};
}

Error exists(const char* what, const std::string& name) {
    return {ErrorKind::conflict, EEXIST, "auth", std::string(what) + " '" + name + "' already exists"};
}

Error not_permitted(const std::string& text) {
    return {ErrorKind::refused, EPERM, "auth", text};
}

Error not_valid(const char* what, const std::string& value, std::vector<std::string> possible) {
    std::sort(possible.begin(), possible.end());
    std::string list;
    for (const auto& one : possible) list += (list.empty() ? "'" : ", '") + one + "'";
    return {ErrorKind::bad_request, EINVAL, "auth",
            std::string(what) + " '" + value + "' is not valid\n Possible values: [" + list + "]"};
}

template <class Value>
std::vector<std::string> texts_of(std::size_t count) {
    std::vector<std::string> texts;
    for (std::size_t n = 0; n < count; ++n) texts.emplace_back(to_string(static_cast<Value>(n)));
    return texts;
}

std::vector<std::string> role_names_of(const Record& user) {
    return user.at("roles").get<std::vector<std::string>>();
}

bool has_role(const Record& user, const std::string& role) {
    const auto names = role_names_of(user);
    return std::find(names.begin(), names.end(), role) != names.end();
}

void touch(Record& user, std::int64_t now) {
    const auto before = user.find("lastUpdate");
    const bool is_known = before != user.end() && before->is_number_integer();
    user["lastUpdate"] = update_time(now, is_known ? before->get<std::int64_t>() : 0);
}

void put_roles(Record& user, std::vector<std::string> names, std::int64_t now) {
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    user["roles"] = std::move(names);
    touch(user, now);
}

template <class Value>
Record value_or_null(const std::optional<Value>& value) {
    return value ? Record(*value) : Record();
}

Record names_of(const Record& records) {
    auto names = Record::array();
    for (const auto& [name, record] : records.items()) names.push_back(name);
    return names;
}

/// The members that are read here are there and of their kind.
bool is_user(const Record& record) {
    const auto roles = record.find("roles");
    return roles != record.end() && roles->is_array() &&
           std::all_of(roles->begin(), roles->end(), [](const Record& role) { return role.is_string(); });
}

bool is_role(const Record& record) {
    const auto scopes = record.find("scopes_permissions");
    return scopes != record.end() && scopes->is_object();
}

Record record_of_system_role(const std::string& name, const Permissions& permissions) {
    return {{"name", name},
            {"description", system_role_description(name)},
            {"scopes_permissions", Record(permissions.to_json())}};
}

}  // namespace

std::int64_t update_time(std::int64_t now, std::int64_t before) noexcept {
    return std::max(now + change_takes.count(), std::min(before + 1, now + most_ahead.count()));
}

AccessDocument::AccessDocument()
    : document_{{"users", Record::object()}, {"roles", Record::object()}, {"version", 2}} {}

AccessDocument AccessDocument::parse(std::string_view text) {
    AccessDocument result;
    result.document_ = Record::parse(text, nullptr, false);
    const auto holds = [&](const char* member, bool (*is)(const Record&)) {
        const auto found = result.document_.find(member);
        return found != result.document_.end() && found->is_object() && std::all_of(found->begin(), found->end(), is);
    };
    if (!holds("users", is_user) || !holds("roles", is_role))
        throw Error(ErrorKind::internal, EBADMSG, "auth", "the database of users cannot be read: nothing is changed");
    return result;
}

std::string AccessDocument::text() const {
    return dashboard_json(document_);
}

Record& AccessDocument::users() {
    return document_["users"];
}

const Record& AccessDocument::users() const {
    return document_.at("users");
}

Record& AccessDocument::roles() {
    return document_["roles"];
}

const Record& AccessDocument::roles() const {
    return document_.at("roles");
}

Record AccessDocument::user_names() const {
    return names_of(users());
}

bool AccessDocument::has_user(const std::string& name) const {
    return users().contains(name);
}

const Record& AccessDocument::user(const std::string& name) const {
    if (!has_user(name)) throw no_such("User", name);
    return users().at(name);
}

Record& AccessDocument::user_to_change(const std::string& name) {
    if (!has_user(name)) throw no_such("User", name);
    return users()[name];
}

const Record& AccessDocument::create_user(const NewUser& wanted, std::int64_t now) {
    if (wanted.role) require_role(*wanted.role);
    if (has_user(wanted.username)) throw exists("User", wanted.username);
    if (wanted.password_expires_at && *wanted.password_expires_at < now)
        throw Error(ErrorKind::bad_request, EINVAL, "auth", "The password expiration date must not be in the past");
    auto& record = users()[wanted.username];
    record = {{"username", wanted.username},
              {"password", wanted.password_hash},
              {"roles", Record::array()},
              {"name", value_or_null(wanted.name)},
              {"email", value_or_null(wanted.email)},
              {"lastUpdate", update_time(now, 0)},
              {"enabled", wanted.is_enabled},
              {"pwdExpirationDate", value_or_null(wanted.password_expires_at)},
              {"pwdUpdateRequired", wanted.must_change_password}};
    if (wanted.role) record["roles"].push_back(*wanted.role);
    return record;
}

void AccessDocument::delete_user(const std::string& name) {
    if (users().erase(name) == 0) throw no_such("User", name);
}

const Record& AccessDocument::enable_user(const std::string& name, bool enabled, std::int64_t now) {
    auto& record = user_to_change(name);
    record["enabled"] = enabled;
    touch(record, now);
    return record;
}

const Record& AccessDocument::set_password_hash(const std::string& name, const std::string& hash, std::int64_t now) {
    auto& record = user_to_change(name);
    record["password"] = hash;
    touch(record, now);
    record["pwdExpirationDate"] = nullptr;
    record["pwdUpdateRequired"] = false;
    return record;
}

const Record& AccessDocument::set_roles(const std::string& name, const std::vector<std::string>& wanted,
                                        std::int64_t now) {
    for (const auto& one : wanted) require_role(one);
    auto& record = user_to_change(name);
    put_roles(record, wanted, now);
    return record;
}

const Record& AccessDocument::add_roles(const std::string& name, const std::vector<std::string>& wanted,
                                        std::int64_t now) {
    for (const auto& one : wanted) require_role(one);
    auto& record = user_to_change(name);
    auto names = role_names_of(record);
    names.insert(names.end(), wanted.begin(), wanted.end());
    put_roles(record, std::move(names), now);
    return record;
}

const Record& AccessDocument::delete_roles(const std::string& name, const std::vector<std::string>& unwanted,
                                           std::int64_t now) {
    for (const auto& one : unwanted) require_role(one);
    auto& record = user_to_change(name);
    for (const auto& one : unwanted)
        if (!has_role(record, one))
            throw Error(ErrorKind::not_found, ENOENT, "auth",
                        "Role '" + one + "' is not associated with user '" + name + "'");
    auto names = role_names_of(record);
    std::erase_if(names, [&](const std::string& one) {
        return std::find(unwanted.begin(), unwanted.end(), one) != unwanted.end();
    });
    put_roles(record, std::move(names), now);
    return record;
}

const Record& AccessDocument::set_info(const std::string& name, const std::string& person, const std::string& email) {
    auto& record = user_to_change(name);
    if (!person.empty()) record["name"] = person;
    if (!email.empty()) record["email"] = email;
    return record;
}

Record AccessDocument::role_names() const {
    auto names = names_of(roles());
    for (const auto name : system_role_names()) names.push_back(name);
    return names;
}

void AccessDocument::require_role(const std::string& name) const {
    if (!roles().contains(name) && !system_role(name)) throw no_such("Role", name);
}

Record AccessDocument::role(const std::string& name) const {
    if (const auto known = system_role(name)) return record_of_system_role(name, *known);
    require_role(name);
    return roles().at(name);
}

const Record& AccessDocument::create_role(const std::string& name, const std::optional<std::string>& description) {
    if (roles().contains(name) || system_role(name)) throw exists("Role", name);
    auto& record = roles()[name];
    record = {{"name", name}, {"description", value_or_null(description)}, {"scopes_permissions", Record::object()}};
    return record;
}

void AccessDocument::delete_role(const std::string& name) {
    if (system_role(name)) throw not_permitted("Cannot delete system role '" + name + "'");
    if (!roles().contains(name)) throw no_such("Role", name);
    for (const auto& [user_name, record] : users().items())
        if (has_role(record, name))
            throw not_permitted("Role '" + name + "' is still associated with user '" + user_name + "'");
    roles().erase(name);
}

Record& AccessDocument::role_to_change(const std::string& name) {
    if (system_role(name)) throw not_permitted("Cannot update system role '" + name + "'");
    if (!roles().contains(name)) throw no_such("Role", name);
    return roles()[name];
}

void AccessDocument::touch_users_of(const std::string& role, std::int64_t now) {
    for (auto& record : users())
        if (has_role(record, role)) touch(record, now);
}

const Record& AccessDocument::set_scope_permissions(const std::string& name, const std::string& scope,
                                                    std::vector<std::string> permissions, std::int64_t now) {
    auto& record = role_to_change(name);
    if (!scope_from(scope)) throw not_valid("Scope", scope, texts_of<Scope>(scope_count));
    for (const auto& one : permissions)
        if (!permission_from(one)) throw not_valid("Permission", one, texts_of<Permission>(permission_count));
    std::sort(permissions.begin(), permissions.end());
    permissions.erase(std::unique(permissions.begin(), permissions.end()), permissions.end());
    record["scopes_permissions"][scope] = std::move(permissions);
    touch_users_of(name, now);
    return record;
}

const Record& AccessDocument::delete_scope_permissions(const std::string& name, const std::string& scope,
                                                       std::int64_t now) {
    auto& record = role_to_change(name);
    if (record["scopes_permissions"].erase(scope) == 0)
        throw Error(ErrorKind::not_found, ENOENT, "auth",
                    "There are no permissions for scope '" + scope + "' in role '" + name + "'");
    touch_users_of(name, now);
    return record;
}

}  // namespace taskd::auth
