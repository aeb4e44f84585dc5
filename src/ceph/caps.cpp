#include "ceph/caps.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <taskd/error.hpp>

namespace taskd::ceph {
namespace {

using nlohmann::json;
using Kind = CommandTarget::Kind;

constexpr std::string_view front = "front";
constexpr std::string_view worker = "worker";
constexpr std::string_view pools_role = "pools";
constexpr std::string_view mirroring = "mirroring";
constexpr std::string_view users = "users";
constexpr std::string_view own_users = "own-users";
constexpr std::string_view user_admin = "user-admin";
constexpr std::string_view audit = "audit";

constexpr std::string_view mon_reason =
    "to read the maps, and to fence dead workers, fronts and holders of image locks";
constexpr std::string_view osd_reason = "to keep the journal, and to list and change images";

/// Nobody's: not a pool, nor a configuration key, nor a rule.
constexpr const char* nothing = "taskd.caps-check.no-such-thing";

std::string command_grant(const std::string& prefix, const std::string& constraint = {}) {
    return "allow command \"" + prefix + "\"" + (constraint.empty() ? "" : " with " + constraint);
}

void add_front(std::vector<Cap>& caps) {
    caps.push_back({front,
                    Kind::mon,
                    "profile rbd",
                    mon_reason,
                    // An address that is none, of the form that the profile lets pass.
                    {{"prefix", "osd blocklist"}, {"blocklistop", "add"}, {"addr", "none/0"}, {"expire", 1.0}}});
    caps.push_back({front,
                    Kind::mon,
                    command_grant("mgr stat"),
                    "to tell the active mgr in the summary",
                    {{"prefix", "mgr stat"}}});
    caps.push_back({front,
                    Kind::mon,
                    command_grant("service status"),
                    "to tell how rbd-mirror daemons are",
                    {{"prefix", "service status"}}});
    caps.push_back({front,
                    Kind::mgr,
                    command_grant("progress json"),
                    "to tell what the mgr is at",
                    {{"prefix", "progress json"}, {"format", "json"}}});
}

void add_pools(std::vector<Cap>& caps) {
    const auto add = [&](const char* prefix, std::string_view reason, json arguments) {
        arguments["prefix"] = prefix;
        caps.push_back({pools_role, Kind::mon, command_grant(prefix), reason, std::move(arguments)});
    };
    add("osd pool create", "to create pools", {{"pool", nothing}, {"pg_num", 1}, {"pool_type", nothing}});
    add("osd pool set", "to edit pools", {{"pool", nothing}, {"var", "size"}, {"val", "1"}});
    add("osd pool set-quota", "to give pools quotas", {{"pool", nothing}, {"field", "max_bytes"}, {"val", "0"}});
    add("osd pool rename", "to rename pools", {{"srcpool", nothing}, {"destpool", nothing}});
    add("osd pool application enable", "to say what a pool is for", {{"pool", nothing}, {"app", "rbd"}});
    add("osd pool application disable", "to say what a pool is not for", {{"pool", nothing}, {"app", "rbd"}});
    // Without its flag it deletes nothing, even if there were such a pool.
    add("osd pool delete", "to remove pools", {{"pool", nothing}, {"pool2", nothing}});
}

void add_mirroring(std::vector<Cap>& caps) {
    const auto add = [&](const char* command, std::string_view reason, bool too_long = false) {
        caps.push_back({mirroring,
                        Kind::mon,
                        command_grant(command, "key prefix rbd/mirror/"),
                        reason,
                        {{"prefix", command}, {"key", std::string("rbd/mirror/") + nothing}},
                        too_long});
    };
    add("config-key get", "to read how peers are reached");
    add("config-key set", "to keep how peers are reached, and a token until it is imported", true);
    add("config-key rm", "to forget it again");
    caps.push_back(
        {mirroring,
         Kind::mon,
         command_grant("auth get-or-create",
                       "entity=client.rbd-mirror-peer caps_mon=\"profile rbd-mirror-peer\" caps_osd=\"profile rbd\""),
         "to make the key of a bootstrap token",
         // The last of the caps is of a kind that there is not: refused before anything is made.
         {{"prefix", "auth get-or-create"},
          {"entity", "client.rbd-mirror-peer"},
          {"caps", {"mon", "profile rbd-mirror-peer", "osd", "profile rbd", "taskd", "none"}}}});
    const auto add_schedule = [&](const char* verb, std::string_view reason, json arguments) {
        const auto prefix = std::string("rbd mirror snapshot schedule ") + verb;
        arguments["prefix"] = prefix;
        arguments["level_spec"] = nothing;
        caps.push_back({mirroring, Kind::mgr, command_grant(prefix), reason, std::move(arguments)});
    };
    add_schedule("add", "to schedule snapshots of mirrored images", {{"interval", "1d"}});
    add_schedule("list", "to know which schedules an image has", json::object());
    add_schedule("remove", "to schedule them no longer", json::object());
    add_schedule("status", "to tell when the next one is taken", json::object());
}

void add_users(std::vector<Cap>& caps) {
    caps.push_back({users,
                    Kind::mon,
                    command_grant("config-key get", "key prefix mgr/dashboard/"),
                    "to read the dashboard's users",
                    {{"prefix", "config-key get"}, {"key", std::string("mgr/dashboard/") + nothing}}});
    constexpr const char* revoked = "mgr/dashboard/jwt_token_block_list";
    caps.push_back({users,
                    Kind::mon,
                    command_grant("config-key set", std::string("key=") + revoked),
                    "to log somebody out",
                    {{"prefix", "config-key set"}, {"key", revoked}},
                    true});
    constexpr const char* lifetime = "mgr/dashboard/jwt_token_ttl";
    caps.push_back({users,
                    Kind::mon,
                    command_grant("config get", std::string("who=mgr key=") + lifetime),
                    "to give tokens the dashboard's lifetime",
                    {{"prefix", "config get"}, {"who", "mgr"}, {"key", lifetime}}});
}

void add_audit(std::vector<Cap>& caps) {
    // The one that leaves something: the monitors take any line, an empty one too.
    caps.push_back({audit,
                    Kind::mon,
                    command_grant("log"),
                    "to write the audit to the cluster's log",
                    {{"prefix", "log"}, {"logtext", json::array({"ceph-taskd audit: a test of caps"})}}});
}

void add_own_users(std::vector<Cap>& caps) {
    caps.push_back({own_users,
                    Kind::mon,
                    command_grant("config-key get", "key prefix ceph-taskd/"),
                    "to read the users of ceph-taskd's own",
                    {{"prefix", "config-key get"}, {"key", std::string("ceph-taskd/") + nothing}}});
    constexpr const char* revoked = "ceph-taskd/jwt_token_block_list";
    caps.push_back({own_users,
                    Kind::mon,
                    command_grant("config-key set", std::string("key=") + revoked),
                    "to log one of them out",
                    {{"prefix", "config-key set"}, {"key", revoked}},
                    true});
}

void add_user_admin(std::vector<Cap>& caps, const std::string& state_pool) {
    const auto key = std::string("ceph-taskd/") + nothing;
    caps.push_back({user_admin,
                    Kind::mon,
                    command_grant("config-key get", "key prefix ceph-taskd/"),
                    "to read users and roles",
                    {{"prefix", "config-key get"}, {"key", key}}});
    caps.push_back({user_admin,
                    Kind::mon,
                    command_grant("config-key set", "key prefix ceph-taskd/"),
                    "to change users and roles",
                    {{"prefix", "config-key set"}, {"key", key}},
                    true});
    caps.push_back({user_admin,
                    Kind::mon,
                    "profile rbd",
                    "to reach the lock",
                    {{"prefix", "osd blocklist"}, {"blocklistop", "add"}, {"addr", "none/0"}, {"expire", 1.0}}});
    caps.push_back({user_admin, Kind::osd, osd_profile(state_pool), "to lock out who changes them at the same time"});
}

std::string profiles_of(const CapsScope& scope) {
    if (scope.image_pools.empty()) return osd_profile({});
    std::string text;
    auto names = scope.image_pools;
    if (std::find(names.begin(), names.end(), scope.state_pool) == names.end()) names.push_back(scope.state_pool);
    for (const auto& pool : names) text.append(text.empty() ? "" : ", ").append(osd_profile(pool));
    return text;
}

/// In the quotes of a shell.
std::string quoted(const std::string& text) {
    std::string result = "'";
    for (const char c : text) {
        if (c == '\'')
            result += "'\\''";
        else
            result += c;
    }
    return result + "'";
}

std::string role_names() {
    std::string names;
    for (const auto& role : cap_roles()) names.append(names.empty() ? "" : ", ").append(role.name);
    return names;
}

/// The grants of one kind of daemon, each once.
std::string joined_grants(const std::vector<Cap>& caps, Kind where) {
    std::vector<std::string_view> grants;
    std::string text;
    for (const auto& cap : caps) {
        if (cap.where != where || std::find(grants.begin(), grants.end(), cap.grant) != grants.end()) continue;
        grants.push_back(cap.grant);
        text.append(text.empty() ? "" : ", ").append(cap.grant);
    }
    return text;
}

}  // namespace

const std::vector<CapsRole>& cap_roles() {
    static const std::vector<CapsRole> roles{
        {front, "the daemon itself: lists, journal, fencing"},
        {worker, "its worker processes, which change images; they use the key of the front"},
        {pools_role, "create, edit and remove pools"},
        {mirroring, "peers and bootstrap tokens of mirrored pools"},
        {users, "users of the cluster's dashboard (--auth auto and dashboard)"},
        {own_users, "users of ceph-taskd's own (--auth auto and own)"},
        {audit, "who changed what, in the cluster's log (--audit-to-cluster)"},
        {user_admin, "who runs `ceph-taskd user` and `ceph-taskd role`; no part of the daemon", false},
    };
    return roles;
}

std::vector<Cap> needed_caps(const std::vector<std::string>& roles, const CapsScope& scope) {
    for (const auto& name : roles)
        if (std::none_of(cap_roles().begin(), cap_roles().end(), [&](const auto& role) { return role.name == name; }))
            throw BadRequest("role", "'" + name + "' is none; there are " + role_names());
    const auto is_wanted = [&](std::string_view role) {
        return std::find(roles.begin(), roles.end(), role) != roles.end();
    };
    std::vector<Cap> caps;
    if (is_wanted(front)) {
        add_front(caps);
        caps.push_back({front, Kind::osd, profiles_of(scope), osd_reason});
    }
    if (is_wanted(worker)) {
        // librbd fences who died holding the lock of an image, by the same command as the front.
        caps.push_back({worker,
                        Kind::mon,
                        "profile rbd",
                        mon_reason,
                        {{"prefix", "osd blocklist"}, {"blocklistop", "add"}, {"addr", "none/0"}, {"expire", 1.0}}});
        caps.push_back({worker, Kind::osd, profiles_of(scope), osd_reason});
    }
    if (is_wanted(pools_role)) add_pools(caps);
    if (is_wanted(mirroring)) add_mirroring(caps);
    if (is_wanted(users)) add_users(caps);
    if (is_wanted(own_users)) add_own_users(caps);
    if (is_wanted(user_admin)) add_user_admin(caps, scope.state_pool);
    if (is_wanted(audit)) add_audit(caps);
    return caps;
}

std::string auth_command(const std::string& user, const std::vector<Cap>& caps) {
    std::string text = "ceph auth get-or-create " + user;
    for (const auto& [where, name] :
         {std::pair(Kind::mon, "mon"), std::pair(Kind::mgr, "mgr"), std::pair(Kind::osd, "osd")})
        if (const auto grants = joined_grants(caps, where); !grants.empty())
            text.append(" \\\n    ").append(name).append(" ").append(quoted(grants));
    return text;
}

std::string osd_profile(const std::string& pool, const std::string& name_space) {
    return "profile rbd" + (pool.empty() ? "" : " pool=" + pool) +
           (name_space.empty() ? "" : " namespace=" + name_space);
}

std::string needed_caps_hint(const std::string& user, const std::string& caps) {
    return user + " needs the caps " + caps + "; `ceph-taskd caps --check` tells which are missing";
}

Error with_needed_caps(const Error& error, const std::string& user, const std::string& caps) {
    const int code = error.errno_value();
    if (code != EPERM && code != EACCES) return error;
    return Error(error.kind(), code, error.component(), error.what() + (": " + needed_caps_hint(user, caps)),
                 error.extra());
}

}  // namespace taskd::ceph
