#include "access_users.hpp"
#include "api/rights.hpp"
#include "support/manual_executor.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <optional>

#include <spdlog/spdlog.h>

/// Who may do what: every route that there is, for every role that every cluster has, with every token that there is.
namespace taskd::api {
namespace {

using nlohmann::json;

constexpr std::array roles{"administrator",   "read-only",   "block-manager",  "pool-manager",
                           "cluster-manager", "rgw-manager", "cephfs-manager", "ganesha-manager"};

constexpr std::string_view no_login = "whoever can connect";
constexpr std::string_view everybody = "every user";
constexpr std::string_view readers = "administrator read-only block-manager";
constexpr std::string_view changers = "administrator block-manager";
constexpr std::string_view pool_changers = "administrator pool-manager";
constexpr std::string_view administrators = "administrator";

struct Line {
    std::string_view method;
    std::string_view pattern;
    std::string_view who;
};

/// By hand, from what the dashboard's own roles may do at its routes; where it has no such route, at those of the kind.
/// @source  dashboard-contract.md 1.6
constexpr std::array matrix{
    Line{"GET", "/healthz", no_login},
    Line{"GET", "/", no_login},
    Line{"GET", "/assets/page.js", no_login},
    Line{"GET", "/assets/page.css", no_login},
    Line{"GET", "/assets/preact-htm.js", no_login},
    Line{"GET", "/assets/pico.css", no_login},
    Line{"GET", "/readyz", no_login},
    Line{"GET", "/metrics", no_login},  // from this host: see metrics_routes_test.cpp
    Line{"GET", "/api/openapi.json", no_login},
    Line{"POST", "/api/auth", no_login},
    Line{"POST", "/api/auth/check", no_login},
    Line{"POST", "/api/auth/logout", no_login},
    Line{"GET", "/api/task", everybody},
    Line{"GET", "/api/task/history", everybody},
    Line{"GET", "/api/task/events", everybody},
    Line{"GET", "/api/task/{id}", readers},      // of an image's task
    Line{"DELETE", "/api/task/{id}", changers},  // of one that deletes
    Line{"GET", "/api/summary", everybody},
    Line{"POST", "/api/command", administrators},  // one that changes something
    Line{"GET", "/ui-api/block/rbd/status", everybody},
    Line{"GET", "/api/block/image", readers},
    Line{"POST", "/api/block/image", changers},
    Line{"GET", "/api/block/image/clone_format_version", readers},
    Line{"GET", "/api/block/image/default_features", readers},
    Line{"GET", "/api/block/image/trash", readers},
    Line{"POST", "/api/block/image/trash/purge", changers},
    Line{"POST", "/api/block/image/trash/{image_id_spec}/restore", changers},
    Line{"DELETE", "/api/block/image/trash/{image_id_spec}", changers},
    Line{"GET", "/api/block/image/{image_spec}", readers},
    Line{"PUT", "/api/block/image/{image_spec}", changers},
    Line{"DELETE", "/api/block/image/{image_spec}", changers},
    Line{"POST", "/api/block/image/{image_spec}/copy", changers},
    Line{"POST", "/api/block/image/{image_spec}/move_trash", changers},
    Line{"POST", "/api/block/image/{image_spec}/flatten", changers},
    Line{"POST", "/api/block/image/{image_spec}/deep_copy", changers},
    Line{"POST", "/api/block/image/{image_spec}/resize", changers},
    Line{"POST", "/api/block/image/{image_spec}/sparsify", changers},
    Line{"POST", "/api/block/image/{image_spec}/object_map/rebuild", changers},
    Line{"POST", "/api/block/image/{image_spec}/migration/prepare", changers},
    Line{"POST", "/api/block/image/{image_spec}/migration/execute", changers},
    Line{"POST", "/api/block/image/{image_spec}/migration/commit", changers},
    Line{"POST", "/api/block/image/{image_spec}/migration/abort", changers},
    Line{"POST", "/api/block/image/{image_spec}/snap", changers},
    Line{"POST", "/api/block/image/{image_spec}/snap/purge", changers},
    Line{"PUT", "/api/block/image/{image_spec}/snap/{snapshot_name}", changers},
    Line{"DELETE", "/api/block/image/{image_spec}/snap/{snapshot_name}", changers},
    Line{"POST", "/api/block/image/{image_spec}/snap/{snapshot_name}/rollback", changers},
    Line{"POST", "/api/block/image/{image_spec}/snap/{snapshot_name}/clone", changers},
    Line{"GET", "/api/block/pool/{pool_name}/namespace", readers},
    Line{"POST", "/api/block/pool/{pool_name}/namespace", changers},
    Line{"DELETE", "/api/block/pool/{pool_name}/namespace/{namespace}", changers},
    Line{"GET", "/api/block/mirroring/site_name", readers},
    Line{"GET", "/api/block/mirroring/pool/{pool_name}", readers},
    Line{"GET", "/api/block/mirroring/pool/{pool_name}/peer", readers},
    Line{"GET", "/api/block/mirroring/pool/{pool_name}/peer/{peer_uuid}", readers},
    Line{"PUT", "/api/block/mirroring/site_name", changers},
    Line{"PUT", "/api/block/mirroring/pool/{pool_name}", changers},
    Line{"POST", "/api/block/mirroring/pool/{pool_name}/peer", changers},
    Line{"PUT", "/api/block/mirroring/pool/{pool_name}/peer/{peer_uuid}", changers},
    Line{"DELETE", "/api/block/mirroring/pool/{pool_name}/peer/{peer_uuid}", changers},
    Line{"POST", "/api/block/mirroring/pool/{pool_name}/bootstrap/token", changers},
    Line{"POST", "/api/block/mirroring/pool/{pool_name}/bootstrap/peer", changers},
    Line{"POST", "/api/pool", pool_changers},
    Line{"PUT", "/api/pool/{pool_name}", pool_changers},
    Line{"DELETE", "/api/pool/{pool_name}", pool_changers},
};

/// None: the route has no line.
std::optional<std::string_view> who_may(const RouteRight& route) {
    const auto* const line = std::find_if(matrix.begin(), matrix.end(), [&](const Line& candidate) {
        return candidate.method == route.method && candidate.pattern == route.pattern;
    });
    if (line == matrix.end()) return std::nullopt;
    return line->who;
}

/// @param all  Roles with blanks between them.
bool is_among(std::string_view all, std::string_view role) {
    return (" " + std::string(all) + " ").find(" " + std::string(role) + " ") != std::string::npos;
}

/// Header (0), claims (1) or signature (2).
std::string part_of(const std::string& token, std::size_t number) {
    std::size_t begin = 0;
    for (; number > 0; --number) begin = token.find('.', begin) + 1;
    return token.substr(begin, token.find('.', begin) - begin);
}

/// Each role has a user of its name, and others by which their tokens are void or worth less.
class AccessMatrix : public UsersTest, public ::testing::WithParamInterface<const char*> {
  protected:
    AccessMatrix() : UsersTest(all_users()) {
        authority.rate = nullptr;
        // What gets through must not wait for a cluster that is not there.
        commands.refuse_with =
            std::make_exception_ptr(Error(ErrorKind::unavailable, EAGAIN, "mon", "[errno 11] not in this test"));
        workers_succeed();
        spdlog::set_level(spdlog::level::err);  // thousands of lines of the audit
    }
    ~AccessMatrix() override {
        spdlog::set_level(spdlog::level::info);
        task.finish();
    }

    static std::string disabled(const std::string& role) { return "disabled " + role; }
    static std::string fresh(const std::string& role) { return "fresh " + role; }
    static std::string changed(const std::string& role) { return "changed " + role; }

    static std::shared_ptr<const auth::AccessState> all_users() {
        json users;
        for (const std::string role : roles) {
            users[role] = user(role);
            users[disabled(role)] = user(role);
            users[disabled(role)]["enabled"] = false;
            users[fresh(role)] = user(role);
            users[fresh(role)]["pwdUpdateRequired"] = true;
            users[changed(role)] = user(role);
            users[changed(role)]["lastUpdate"] = auth::numeric_date_now() + 3600;
        }
        auto state = state_with(users);
        state->revoked["revoked"] = INT64_MAX;
        return state;
    }

    /// By what is wrong with them.
    static std::map<std::string, std::string> void_tokens(const std::string& role) {
        const auto now = auth::numeric_date_now();
        const auto good = token(role);
        // {"alg":"none","typ":"JWT"}
        const auto unsigned_one = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0." + part_of(good, 1) + ".";
        const auto other = token(role == "administrator" ? "read-only" : "administrator");
        return {
            {"none", ""},
            {"garbage", "garbage"},
            {"expired", auth::sign({"a", role, now - 120, now - 60}, secret)},
            {"revoked", auth::sign({"revoked", role, now, now + 60}, secret)},
            {"tampered", part_of(good, 0) + "." + part_of(other, 1) + "." + part_of(good, 2)},
            {"of another secret", token(role, "another secret")},
            {"alg none", unsigned_one},
            {"alg none with signature", unsigned_one + part_of(good, 2)},
            {"of the future", auth::sign({"a", role, now + 600, now + 900}, secret)},
            {"of nobody", token("gone")},
            {"disabled", token(disabled(role))},
            {"changed since", token(changed(role))},
        };
    }

    std::string path_of(std::string_view pattern) const {
        const std::array<std::pair<std::string_view, std::string>, 7> values{{{"{id}", task.task->id()},
                                                                              {"{image_spec}", "rbd%2Fx"},
                                                                              {"{image_id_spec}", "rbd%2F00"},
                                                                              {"{snapshot_name}", "s"},
                                                                              {"{pool_name}", "rbd"},
                                                                              {"{namespace}", "n"},
                                                                              {"{peer_uuid}", "u"}}};
        std::string path(pattern);
        for (const auto& [name, value] : values)
            if (const auto at = path.find(name); at != std::string::npos) path.replace(at, name.size(), value);
        return path;
    }

    int status(const RouteRight& route, const std::string& token) {
        std::vector<http::NameValue> headers{{"Prefer", "respond-async"}, {"Content-Type", "application/json"}};
        if (!token.empty()) headers.push_back(bearer(token));
        std::string body = route.method == "POST" || route.method == "PUT" ? "{}" : "";
        if (route.pattern == "/api/command") body = R"({"command": {"prefix": "osd out"}})";
        return client.request(route.method, path_of(route.pattern), headers, body, std::chrono::seconds(60)).status;
    }
    /// Whether it was refused for who asked: a task that one may not see is none.
    static bool is_refused(const RouteRight& route, int status) {
        return status == 401 || status == 403 || (status == 404 && route.pattern == "/api/task/{id}");
    }

    const test::ManualTask task = test::run_manual(tasks, "rbd/delete", {{"image_spec", "rbd/other"}});
    http::Client client{server.endpoints().front()};
};

TEST_P(AccessMatrix, ARoleMayDoWhatItMayAtTheDashboardAndNothingElse) {
    const std::string role = GetParam();
    for (const auto& route : route_rights()) {
        const auto who = who_may(route);
        ASSERT_TRUE(who) << route.method << " " << route.pattern << " has no line in this test";
        const bool may = *who == no_login || *who == everybody || is_among(*who, role);

        const auto got = status(route, token(role));

        EXPECT_EQ(is_refused(route, got), !may) << route.method << " " << route.pattern << ": " << got;
    }
}

TEST_P(AccessMatrix, AVoidTokenIsNoneWhateverTheRole) {
    for (const auto& [why, bad] : void_tokens(GetParam()))
        for (const auto& route : route_rights()) {
            const auto got = status(route, bad);

            EXPECT_EQ(got == 401, who_may(route) != no_login)
                << why << ": " << route.method << " " << route.pattern << ": " << got;
        }
}

TEST_P(AccessMatrix, WhoMustChangeThePasswordMayOnlyLookAtWhatHasNoScope) {
    const std::string role = GetParam();
    for (const auto& route : route_rights()) {
        const auto who = who_may(route).value_or("");
        const bool is_a_look_at_a_task = route.method == "GET" && route.pattern == "/api/task/{id}";
        const bool may = who == no_login || who == everybody || (is_a_look_at_a_task && is_among(who, role));

        const auto got = status(route, token(fresh(role)));

        EXPECT_NE(got, 401) << route.method << " " << route.pattern;
        EXPECT_EQ(is_refused(route, got), !may) << route.method << " " << route.pattern << ": " << got;
    }
}

TEST(AccessMatrixTable, HasNoLineOfARouteThatThereIsNot) {
    EXPECT_EQ(matrix.size(), route_rights().size());
}

INSTANTIATE_TEST_SUITE_P(Roles, AccessMatrix, ::testing::ValuesIn(roles), [](const auto& role) {
    std::string name = role.param;
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
});

}  // namespace
}  // namespace taskd::api
