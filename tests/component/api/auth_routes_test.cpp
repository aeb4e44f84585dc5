#include "access_users.hpp"
#include "support/manual_executor.hpp"

#include <atomic>
#include <future>

namespace taskd::api {
namespace {

using nlohmann::json;

class AuthRoutesTest : public UsersTest {
  protected:
    AuthRoutesTest() : UsersTest(some_users()) {}

    static std::shared_ptr<const auth::AccessState> some_users() {
        auto disabled = user("administrator");
        disabled["enabled"] = false;
        auto fresh = user("administrator");
        fresh["pwdUpdateRequired"] = true;
        return state_with({{"admin", user("administrator")},
                           {"reader", user("read-only")},
                           {"block", user("block-manager")},
                           {"pool", user("pool-manager")},
                           {"nobody", user("no-such-role")},
                           {"disabled", disabled},
                           {"fresh", fresh}});
    }
    Answer as(const std::string& name, std::string_view method, std::string_view target, std::string_view body = {}) {
        return request(method, target, body, {bearer(token(name))});
    }
    Answer login(const json& body) { return post("/api/auth", body); }
};

TEST_F(AuthRoutesTest, AUserWithTooManyRequestsWaitsAndNobodyElseDoes) {
    int accepted = 0;
    for (int n = 0; n < 220; ++n) accepted += as("reader", "GET", "/api/summary").status == 200 ? 1 : 0;
    EXPECT_EQ(accepted, 200);
    const auto refused = as("reader", "GET", "/api/summary");
    EXPECT_EQ(refused.status, 429);
    EXPECT_TRUE(refused.retry_after);
    EXPECT_NE(refused.body["detail"].get<std::string>().find("try again in 1 s"), std::string::npos);

    EXPECT_EQ(as("admin", "GET", "/api/summary").status, 200);
    clock.advance(std::chrono::seconds(1));
    EXPECT_EQ(as("reader", "GET", "/api/summary").status, 200);
}

TEST_F(AuthRoutesTest, WithoutTokenEverythingIsRefusedAndLooksAlike) {
    for (const auto& [method, target] : {std::pair{"GET", "/api/task"},
                                         {"GET", "/api/summary"},
                                         {"POST", "/api/block/image"},
                                         {"DELETE", "/api/block/image/rbd%2Fx"},
                                         {"GET", "/api/task/no-such"},
                                         {"POST", "/api/command"}}) {
        const auto answer = request(method, target);
        EXPECT_EQ(answer.status, 401) << target;
        EXPECT_EQ(answer.body["detail"], "You are not authorized to access that resource") << target;
        EXPECT_EQ(answer.body["status"], "401 Unauthorized");
    }
    EXPECT_EQ(get("/healthz").status, 200);
}

TEST_F(AuthRoutesTest, VoidTokensAreRefused) {
    for (const auto& bad : {token("admin", "another secret"), token("gone"), token("disabled"), std::string("garbage"),
                            std::string(), token("admin") + "x"})
        EXPECT_EQ(request("GET", "/api/task", {}, {{"Authorization", "Bearer " + bad}}).status, 401) << bad;
    EXPECT_EQ(request("GET", "/api/task", {}, {{"Authorization", "Basic YWRtaW46"}}).status, 401);
}

TEST_F(AuthRoutesTest, TheCookieComesBeforeTheBearer) {
    const auto good = token("admin");
    EXPECT_EQ(request("GET", "/api/task", {}, {{"Cookie", "a=b; token=" + good}}).status, 200);
    EXPECT_EQ(request("GET", "/api/task", {}, {{"Authorization", "bearer " + good}}).status, 200);
    EXPECT_EQ(request("GET", "/api/task", {}, {{"Cookie", "token=bad"}, {"Authorization", "Bearer " + good}}).status,
              401);
}

/// The same front behind a proxy that it trusts, with a site whose pages may read.
class ProxiedAuthRoutesTest : public AuthRoutesTest {
  protected:
    ProxiedAuthRoutesTest() { proxied.start(); }
    ~ProxiedAuthRoutesTest() override { proxied.stop(std::chrono::milliseconds(0)); }

    static http::ServerOptions proxied_options() {
        auto options = server_options();
        options.proxies = http::TrustedProxies({http::Network::parse("127.0.0.1")});
        options.cors = http::CorsPolicy({"https://ui.example"});
        return options;
    }
    http::ClientResponse send(std::string_view method, std::string_view target, std::string_view body,
                              const std::vector<http::NameValue>& headers) {
        http::Client client(proxied.endpoints().front());
        return client.request(method, target, headers, body, std::chrono::seconds(60));
    }
    int change_with_cookie(std::vector<http::NameValue> headers) {
        headers.emplace_back("Cookie", "token=" + token("admin"));
        return send("DELETE", "/api/task/no-such", {}, headers).status;
    }

    http::Server proxied{proxied_options(), make_router(access())};
};

TEST_F(ProxiedAuthRoutesTest, TheSameSiteIsTheOneThatTheProxyWasAskedFor) {
    EXPECT_EQ(change_with_cookie({{"X-Forwarded-Host", "ceph.example"}, {"Origin", "https://ceph.example"}}), 404);
    EXPECT_EQ(change_with_cookie({{"X-Forwarded-Host", "ceph.example"}, {"Origin", "https://evil.example"}}), 403);
    // Without a proxy anybody may claim that.
    EXPECT_EQ(request("DELETE", "/api/task/no-such", {},
                      {{"Cookie", "token=" + token("admin")},
                       {"X-Forwarded-Host", "evil.example"},
                       {"Origin", "https://evil.example"}})
                  .status,
              403);
}

TEST_F(ProxiedAuthRoutesTest, PagesOfAListedSiteMayReadRefusalsButNotUseTheCookie) {
    const auto refused = send("GET", "/api/task", {}, {{"Origin", "https://ui.example"}});
    EXPECT_EQ(refused.status, 401);
    EXPECT_EQ(refused.header("Access-Control-Allow-Origin"), "https://ui.example");
    EXPECT_FALSE(refused.header("Access-Control-Allow-Credentials"));

    const auto preflight = send("OPTIONS", "/api/task/no-such", {},
                                {{"Origin", "https://ui.example"}, {"Access-Control-Request-Method", "DELETE"}});
    EXPECT_EQ(preflight.status, 204) << "asked without a token";
    EXPECT_EQ(preflight.header("Access-Control-Allow-Origin"), "https://ui.example");

    EXPECT_EQ(change_with_cookie({{"Origin", "https://ui.example"}}), 403);
    EXPECT_EQ(change_with_cookie({{"Origin", "https://ui.example"}, {"Sec-Fetch-Site", "same-site"}}), 403);
    EXPECT_EQ(send("DELETE", "/api/task/no-such", {},
                   {{"Origin", "https://ui.example"}, {"Authorization", "Bearer " + token("admin")}})
                  .status,
              404);
}

TEST_F(ProxiedAuthRoutesTest, TheCookieOfAnEncryptedLoginIsForEncryptedConnectionsOnly) {
    const std::string body = R"({"username": "admin", "password": "secret"})";
    const auto cookie = [&](const char* scheme) {
        const auto answer =
            send("POST", "/api/auth", body, {{"Content-Type", "application/json"}, {"X-Forwarded-Proto", scheme}});
        EXPECT_EQ(answer.status, 201);
        return std::string(answer.header("Set-Cookie").value_or(""));
    };

    EXPECT_THAT(cookie("https"), ::testing::EndsWith("; SameSite=Strict; Secure"));
    EXPECT_THAT(cookie("http"), ::testing::EndsWith("; SameSite=Strict"));
}

TEST_F(AuthRoutesTest, ACookieFromAnotherSitesPageChangesNothing) {
    const std::string cookie = "token=" + token("admin");
    const auto send = [&](http::NameValue header) {
        return request("DELETE", "/api/task/no-such", {}, {{"Cookie", cookie}, std::move(header)}).status;
    };
    EXPECT_EQ(send({"Sec-Fetch-Site", "cross-site"}), 403);
    EXPECT_EQ(send({"Origin", "https://elsewhere.example"}), 403);
    EXPECT_EQ(send({"Sec-Fetch-Site", "same-origin"}), 404);
}

TEST_F(AuthRoutesTest, RolesSayWhoMayDoWhat) {
    workers_succeed();
    const auto create = json{{"pool_name", "rbd"}, {"name", "x"}, {"size", 1 << 20}}.dump();
    EXPECT_EQ(as("reader", "POST", "/api/block/image", create).status, 403);
    EXPECT_EQ(as("pool", "POST", "/api/block/image", create).status, 403);
    EXPECT_EQ(as("nobody", "POST", "/api/block/image", create).status, 403);
    EXPECT_EQ(as("fresh", "POST", "/api/block/image", create).status, 403);
    EXPECT_EQ(as("block", "POST", "/api/block/image", create).status, 201);
    EXPECT_EQ(as("block", "DELETE", "/api/pool/rbd").status, 403);
    EXPECT_EQ(as("nobody", "GET", "/api/summary").status, 200);
    const auto refused = as("reader", "POST", "/api/block/image", create);
    EXPECT_EQ(refused.body["detail"], "You don't have permissions to access that resource");
}

TEST_F(AuthRoutesTest, ACallerSeesTheTasksOfOnesScopesOnly) {
    const auto image = test::run_manual(tasks, "rbd/delete", {{"image_spec", "rbd/y"}});
    const auto pool = test::run_manual(tasks, "pool/create", {{"pool_name", "p"}});
    const auto command = test::run_manual(tasks, "command", {{"command", "x"}});
    const auto seen_by = [this](const std::string& name, const char* target) {
        std::set<std::string> names;
        const auto answer = as(name, "GET", target);
        for (const auto& task : answer.body["executing_tasks"]) names.insert(task["name"]);
        return names;
    };
    using Names = std::set<std::string>;
    for (const auto* target : {"/api/task", "/api/task?detail=1", "/api/summary"}) {
        EXPECT_EQ(seen_by("admin", target), (Names{"rbd/delete", "pool/create", "command"})) << target;
        EXPECT_EQ(seen_by("reader", target), (Names{"rbd/delete", "pool/create"})) << target;
        EXPECT_EQ(seen_by("pool", target), (Names{"pool/create"})) << target;
        EXPECT_EQ(seen_by("nobody", target), Names{}) << target;
    }
    EXPECT_EQ(as("pool", "GET", "/api/task/" + image.task->id()).status, 404);
    EXPECT_EQ(as("reader", "DELETE", "/api/task/" + image.task->id()).status, 403);
    EXPECT_EQ(as("block", "DELETE", "/api/task/" + image.task->id()).status, 202);
    for (const auto& one : {image, pool, command}) one.finish();
}

TEST_F(AuthRoutesTest, ReadersMaySendCommandsThatOnlyRead) {
    const auto send = [this](const std::string& name, const char* prefix, const char* target = "mon") {
        const auto body = json{{"command", {{"prefix", prefix}}}, {"target", target}}.dump();
        return request("POST", "/api/command", body,
                       {{"Authorization", "Bearer " + token(name)}, {"Prefer", "respond-async"}})
            .status;
    };
    EXPECT_EQ(send("reader", "osd tree"), 202);
    EXPECT_EQ(send("reader", "osd out"), 403);
    EXPECT_EQ(send("reader", "config-key get"), 403);
    EXPECT_EQ(send("reader", "osd tree", "osd.0"), 403);
    EXPECT_EQ(send("block", "osd tree"), 403);
    EXPECT_EQ(send("fresh", "osd tree"), 403);
    EXPECT_EQ(send("admin", "osd out"), 202);
}

TEST_F(AuthRoutesTest, ALoginGivesATokenAndItsPermissions) {
    const auto answer = login({{"username", "block"}, {"password", "secret"}});

    ASSERT_EQ(answer.status, 201);
    EXPECT_EQ(keys_of(answer.body), (std::set<std::string>{"token", "username", "permissions", "pwdExpirationDate",
                                                           "sso", "pwdUpdateRequired"}));
    EXPECT_EQ(answer.body["permissions"]["pool"], json::array({"read"}));
    const auto check = post("/api/auth/check", {{"token", answer.body["token"]}});
    EXPECT_EQ(check.status, 200);
    EXPECT_EQ(check.body["username"], "block");
    EXPECT_EQ(post("/api/auth/check", {{"token", "garbage"}}).body["login_url"], "#/login");
}

TEST_F(AuthRoutesTest, WhoeverCannotLogInGetsOneAnswer) {
    for (const auto& [name, password] : {std::pair{"admin", "wrong"}, {"gone", "secret"}, {"disabled", "secret"}}) {
        const auto answer = login({{"username", name}, {"password", password}});
        EXPECT_EQ(answer.status, 400) << name;
        EXPECT_EQ(answer.body,
                  (json{{"detail", "Invalid credentials"}, {"code", "invalid_credentials"}, {"component", "auth"}}));
    }
    EXPECT_EQ(login({{"username", "admin"}}).status, 400);
    EXPECT_EQ(login({{"username", 7}, {"password", "x"}}).status, 400);
}

TEST_F(AuthRoutesTest, ManyWrongPasswordsLockOut) {
    for (int n = 0; n < 3; ++n) login({{"username", "admin"}, {"password", "wrong"}});
    EXPECT_EQ(login({{"username", "admin"}, {"password", "secret"}}).status, 400);
    EXPECT_EQ(login({{"username", "reader"}, {"password", "secret"}}).status, 201);
}

TEST_F(AuthRoutesTest, ALogoutRevokesTheToken) {
    const auto answer = as("reader", "POST", "/api/auth/logout");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, (json{{"redirect_url", "#/login"}}));
    EXPECT_EQ(revoked, (std::vector<std::string>{"token of reader"}));
    EXPECT_EQ(post("/api/auth/logout", json::object()).status, 400);
}

TEST_F(AuthRoutesTest, ALoginWaitsForTheFirstLookAtTheUsers) {
    authority.first_look = std::chrono::seconds(60);
    std::promise<void> asked;
    std::atomic<bool> is_asked = false;
    authority.state = [this, &asked, &is_asked] {
        if (!is_asked.exchange(true)) asked.set_value();
        const std::lock_guard lock(mutex);
        return state;
    };
    const auto users = std::exchange(state, nullptr);
    auto answer = std::async(std::launch::async, [this] {
        return login({{"username", "admin"}, {"password", "secret"}}).status;
    });
    asked.get_future().wait();
    {
        const std::lock_guard lock(mutex);
        state = users;
    }

    EXPECT_EQ(answer.get(), 201);
}

TEST_F(AuthRoutesTest, WhileTheUsersAreNotKnownItIsUnavailable) {
    authority.first_look = std::chrono::milliseconds(0);
    {
        const std::lock_guard lock(mutex);
        state = nullptr;
    }
    EXPECT_EQ(as("admin", "GET", "/api/task").status, 503);
    EXPECT_EQ(login({{"username", "admin"}, {"password", "secret"}}).status, 503);
}

TEST_F(AuthRoutesTest, AStandbySendsEverybodyToTheActiveOne) {
    standing = {nullptr, "http://10.0.0.2:8280", "standby"};
    EXPECT_EQ(get("/api/task").status, 303);
}

}  // namespace
}  // namespace taskd::api
