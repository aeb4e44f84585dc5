#include "api/audit.hpp"

#include "access_users.hpp"
#include "support/log_capture.hpp"
#include "support/manual_executor.hpp"

namespace taskd::api {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

class AuditTest : public UsersTest {
  protected:
    AuditTest() : UsersTest(state_with({{"alice", user("administrator")}, {"reader", user("read-only")}})) {}

    Answer as(const std::string& name, std::string_view method, std::string_view target, const json& body = {}) {
        return request(method, target, body.is_null() ? "" : body.dump(),
                       {bearer(token(name)), {"Prefer", "respond-async"}});
    }
    std::vector<std::string> lines() const { return log.lines("audit: "); }

    test::LogCapture log;
};

TEST_F(AuditTest, AChangeIsALineOfWhoFromWhereWhatAndWithWhichOutcome) {
    const auto id = as("alice", "DELETE", "/api/block/image/rbd%2Fx").task_id;

    EXPECT_THAT(lines(), ElementsAre(AllOf(StartsWith("audit: alice from 127.0.0.1:"),
                                           HasSubstr(": DELETE /api/block/image/rbd%2Fx: 202 task " + id +
                                                     R"( rbd/delete {"image_spec":"rbd/x"})"))));
}

TEST_F(AuditTest, WhatIsRefusedIsALineWithItsNameToo) {
    request("DELETE", "/api/block/image/rbd%2Fx", {}, {bearer("garbage")});
    as("reader", "DELETE", "/api/block/image/rbd%2Fx");
    as("alice", "PUT", "/api/block/image/rbd%2Fx", {{"nonsense", 1}});
    for (int n = 0; n < 200; ++n) rate.count("reader");
    as("reader", "POST", "/api/block/image", json::object());

    EXPECT_THAT(lines(), ElementsAre(AllOf(StartsWith("audit: - from "), HasSubstr(": 401 task -")),
                                     AllOf(StartsWith("audit: reader from "), HasSubstr(": 403 task -")),
                                     AllOf(StartsWith("audit: alice from "), HasSubstr(": 400 task -")),
                                     AllOf(StartsWith("audit: reader from "), HasSubstr(": 429 task -"))));
}

TEST_F(AuditTest, WhatChangesNothingIsNone) {
    as("alice", "GET", "/api/task");
    EXPECT_THAT(lines(), IsEmpty());
}

TEST_F(AuditTest, AStandbysAnswerIsALine) {
    standing = {nullptr, "http://10.0.0.2:8280", "standby"};
    as("alice", "DELETE", "/api/block/image/rbd%2Fx");
    EXPECT_THAT(lines(), ElementsAre(AllOf(StartsWith("audit: - from "), HasSubstr(": 303 task -"))));
}

TEST_F(AuditTest, AtTheUnixSocketTheKernelSaysWhoItIs) {
    http::Request request;
    request.method = "DELETE";
    request.path = "/api/pool/p";
    request.peer = {http::Peer::Kind::unix_socket, "unix:/run/taskd.sock", false, http::PeerCredentials{1000, 1000, 5}};
    request.caller = auth::trusted_user();

    EXPECT_EQ(ChangeRequest(request).line(nullptr, http::Response{}),
              "(trusted) from unix:/run/taskd.sock uid 1000: DELETE /api/pool/p: 200 task -");
}

TEST_F(AuditTest, ALoginTellsWhoseItIsAndNoPassword) {
    post("/api/auth", {{"username", "alice"}, {"password", "secret"}});
    post("/api/auth", {{"username", "alice\naudit: root from here"}, {"password", "hunter2"}});

    EXPECT_THAT(lines(), ElementsAre(HasSubstr("POST /api/auth: 201 task - user alice"),
                                     HasSubstr("POST /api/auth: 400 task - user alice\\x0aaudit: root from here")));
    EXPECT_THAT(log.text(), Not(HasSubstr("hunter2")));
}

TEST_F(AuditTest, ACommandTellsWhichItIsAlsoWhenItIsRefused) {
    as("alice", "POST", "/api/command",
       {{"command", {{"prefix", "config-key set"}, {"key", "a"}, {"val", "hunter2"}}}});
    as("reader", "POST", "/api/command", {{"command", {{"prefix", "osd out"}, {"ids", {"1"}}}}});

    ASSERT_EQ(lines().size(), 2U);
    EXPECT_THAT(lines()[0], AllOf(HasSubstr("202 task 01"), HasSubstr(R"("prefix":"config-key set")"),
                                  HasSubstr(R"("val":"***")")));
    EXPECT_THAT(lines()[1], HasSubstr("403 task - mon command 'osd out'"));
    EXPECT_THAT(log.text(), Not(HasSubstr("hunter2")));
}

TEST_F(AuditTest, NeitherATokenNorAQueryIsInALine) {
    const auto secret_token = token("alice");
    as("alice", "DELETE", "/api/block/image/rbd%2Fx?image_id=5&token=hunter2");
    request("POST", "/api/auth/logout", "{}", {bearer(secret_token)});

    ASSERT_EQ(lines().size(), 2U);
    EXPECT_THAT(lines().back(), HasSubstr("POST /api/auth/logout: 200 task - user alice"));
    EXPECT_THAT(log.text(), AllOf(Not(HasSubstr("hunter2")), Not(HasSubstr(secret_token))));
}

TEST_F(AuditTest, TheEndOfATaskIsALineOfWhoAskedForItAndHowItEnded) {
    RunOptions options;
    options.owner = "alice";
    const auto good = test::run_manual(tasks, "rbd/delete", {{"image_spec", "rbd/x"}}, std::move(options));
    good.finish();
    const auto bad = test::run_manual(tasks, "pool/create", {{"pool_name", "p"}});
    bad.fail(Error(ErrorKind::refused, EEXIST, "rbd", "[errno 17] it is\nthere"));

    EXPECT_EQ(line_of_end(*good.task),
              "alice: task " + good.task->id() + R"( rbd/delete {"image_spec":"rbd/x"}: success)");
    EXPECT_EQ(line_of_end(*bad.task),
              "-: task " + bad.task->id() + R"( pool/create {"pool_name":"p"}: failed: [errno 17] it is\x0athere)");
}

TEST_F(AuditTest, ATasksOwnerIsWhoAskedForIt) {
    const auto id = as("alice", "DELETE", "/api/block/image/rbd%2Fx").task_id;
    EXPECT_EQ(tasks.find_by_id(id)->owner(), "alice");
}

TEST_F(AuditTest, LinesGoToTheClustersLogAsWellWhereThatIsAskedFor) {
    const auto caller = std::make_shared<test::FakeCommandCaller>([](const ceph::CommandTarget&, const json&) {
        return ceph::CommandResult{0, "", ""};
    });
    ceph::CommandSender cluster_sender(caller);
    ceph::ClusterLog cluster_log(cluster_sender);
    services.cluster_log = &cluster_log;
    as("reader", "DELETE", "/api/block/image/rbd%2Fx");
    services.cluster_log = nullptr;

    EXPECT_TRUE(cluster_log.wait_until_written(std::chrono::seconds(60)));
    ASSERT_EQ(caller->calls().size(), 1U);
    EXPECT_EQ(caller->calls()[0].second["prefix"], "log");
    EXPECT_THAT(caller->calls()[0].second["logtext"][0].get<std::string>(),
                AllOf(StartsWith("ceph-taskd audit: reader from "), HasSubstr("403 task -")));
}

}  // namespace
}  // namespace taskd::api
