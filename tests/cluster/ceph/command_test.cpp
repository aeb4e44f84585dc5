#include "ceph/checked_caller.hpp"
#include "ceph/command_port.hpp"
#include "support/cluster.hpp"

#include <cerrno>
#include <csignal>

#include <gmock/gmock.h>
#include <taskd/task_manager.hpp>

namespace taskd::ceph {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using ::testing::HasSubstr;

const auto& cluster = test::TestCluster::for_all_tests();

/// The command road from end to end: tasks, port, sender, table check, librados.
struct Commands : ::testing::Test {
    std::shared_ptr<Cluster> connected = connect();
    std::shared_ptr<LibradosCaller> librados =
        std::make_shared<LibradosCaller>([this] { return connected; }, std::chrono::seconds(2));
    TaskManager manager;
    CommandSender sender{std::make_shared<CheckedCaller>(librados), {.deadline = 40s}};
    SenderCommandPort port{sender, manager.notifications()};
    int number = 0;

    ~Commands() override { sender.stop(); }

    static std::shared_ptr<Cluster> connect() {
        ClusterOptions options;
        options.conf = cluster.conf();
        options.connect_timeout = std::chrono::seconds(5);
        options.mon_op_timeout = std::chrono::seconds(2);
        return Cluster::connect(options);
    }

    std::shared_ptr<Task> start(const std::string& target, const json& command) {
        RunOptions options;
        options.executor = std::make_unique<SendCommandExecutor>(port, target);
        return manager.run(
            "command", {{"number", ++number}}, [command] { return command; }, std::move(options));
    }
    json run(const std::string& target, const json& command) { return start(target, command)->wait(60s).value; }
    /// As of `error_to_json`, null when it succeeds.
    json failure(const std::string& target, const json& command) {
        try {
            run(target, command);
        } catch (...) {
            return error_to_json(std::current_exception());
        }
        return nullptr;
    }
};

TEST_F(Commands, ReachAMonitor) {
    const auto value = run("mon", {{"prefix", "status"}, {"format", "json"}});

    EXPECT_EQ(value["return_code"], 0);
    EXPECT_EQ(value["output_format"], "json");
    EXPECT_EQ(value["output"]["fsid"], connected->fsid());
}

TEST_F(Commands, ReachAMonitorByName) {
    EXPECT_EQ(run("mon.a", {{"prefix", "version"}, {"format", "json"}})["output"]["release"], "pacific");
}

TEST_F(Commands, ReachTheMgr) {
    // Not a module's command: the modules of a fresh mgr load after it has become active.
    EXPECT_THAT(run("mgr", {{"prefix", "pg stat"}})["output"].get<std::string>(), HasSubstr(" pgs: "));
}

TEST_F(Commands, ReachAnOsd) {
    EXPECT_EQ(run("osd.0", {{"prefix", "version"}})["output"]["version"], "16.2.15");
}

TEST_F(Commands, ReachAPg) {
    const auto pool = connected->open_ioctx("rbd").pool_id();

    EXPECT_TRUE(run("pg " + std::to_string(pool) + ".0", {{"prefix", "query"}})["output"].contains("state"));
}

TEST_F(Commands, GivePlainOutputAsText) {
    const auto value = run("mon", {{"prefix", "osd ls"}});

    EXPECT_EQ(value["output_format"], "text");
    EXPECT_EQ(value["output"], "0\n");
}

TEST_F(Commands, GiveTheStatusLine) {
    EXPECT_THAT(run("mon", {{"prefix", "osd pool create"}, {"pool", "rbd"}})["status"].get<std::string>(),
                HasSubstr("pool 'rbd' already exists"));
}

TEST_F(Commands, FailWithTheDaemonsErrnoAndWords) {
    const auto error = failure("mon", {{"prefix", "osd pool get"}, {"pool", "nonesuch"}, {"var", "size"}});

    EXPECT_EQ(error["code"], ENOENT);
    EXPECT_EQ(error["component"], "mon");
    EXPECT_EQ(error["detail"], "[errno 2] unrecognized pool 'nonesuch' (mon command 'osd pool get')");
    EXPECT_EQ(error["extra"]["return_code"], -ENOENT);
}

TEST_F(Commands, FailOnAnOsdThatDoesNotExist) {
    const auto error = failure("osd.77", {{"prefix", "version"}});

    EXPECT_EQ(error["detail"], "[errno 2] osd dne (osd.77 command 'get_command_descriptions')");
    EXPECT_EQ(error["component"], "osd");
}

TEST_F(Commands, SendAFloatWhereTheMonitorWantsOne) {
    EXPECT_EQ(failure("mon", {{"prefix", "osd reweight"}, {"id", 0}, {"weight", 1}}), nullptr);
}

TEST_F(Commands, NeverLetAPoisonCommandReachADaemon) {
    const auto before = cluster.pids();

    for (const char* target : {"mon", "mgr", "osd.0"})
        for (const char* text :
             {R"({"prefix": 5})", R"({"prefix": true})", R"({"prefix": ["status"]})",
              R"({"prefix": "status", "format": 5})", R"({"prefix": ""})", R"({})", R"([])",
              R"({"prefix": "osd dump", "epoch": "x"})",
              R"({"prefix": "osd pool get", "pool": "rbd", "var": "nonesuch"})", R"({"prefix": "nonesuch"})",
              R"({"prefix": "osd tree", "states": []})", R"({"prefix": "osd pool get", "pool": 5, "var": "size"})"})
            EXPECT_EQ(failure(target, json::parse(text))["kind"], "bad_request") << target << ": " << text;

    EXPECT_EQ(cluster.pids(), before);
}

TEST_F(Commands, RunSixtyFourAtOnce) {
    constexpr int many = 640;
    std::vector<std::shared_ptr<Task>> tasks;
    for (int n = 0; n < many; ++n) tasks.push_back(start("mon", {{"prefix", "osd dump"}, {"format", "json"}}));

    for (const auto& task : tasks) EXPECT_EQ(task->wait(60s).value["output"]["fsid"], connected->fsid());
    EXPECT_LE(sender.load().threads, 64U);
}

TEST_F(Commands, TakeBulkInput) {
    RunOptions options;
    options.executor = std::make_unique<SendCommandExecutor>(port, "mon", std::string(10'000, 'v'));
    manager
        .run(
            "command", {{"set", 1}},
            [] {
                return json{{"prefix", "config-key set"}, {"key", "taskd/test"}};
            },
            std::move(options))
        ->wait(60s);

    EXPECT_EQ(run("mon", {{"prefix", "config-key get"}, {"key", "taskd/test"}})["output"], std::string(10'000, 'v'));
}

TEST_F(Commands, GiveUpOnAFrozenMonitorInTime) {
    run("mon", {{"prefix", "status"}});
    run("mon.a", {{"prefix", "version"}});
    {
        const test::Frozen frozen(cluster, "mon.a");
        const auto begin = std::chrono::steady_clock::now();

        const auto error = failure("mon", {{"prefix", "status"}});

        EXPECT_EQ(error["code"], ETIMEDOUT);
        EXPECT_EQ(error["detail"], "[errno 110] timed out (mon command 'status')");
        EXPECT_LT(std::chrono::steady_clock::now() - begin, 10s);
        // librados gives up a monitor addressed by name when it cannot connect to it: ENXIO, before the time-out.
        EXPECT_NE(failure("mon.a", {{"prefix", "version"}}), nullptr);
    }
    EXPECT_EQ(run("mon", {{"prefix", "osd ls"}})["return_code"], 0) << "works again";
}

TEST_F(Commands, GiveUpOnAFrozenOsdInTime) {
    run("osd.0", {{"prefix", "version"}});
    {
        const test::Frozen frozen(cluster, "osd.0");

        EXPECT_EQ(failure("osd.0", {{"prefix", "version"}})["code"], ETIMEDOUT);
    }
    EXPECT_EQ(run("osd.0", {{"prefix", "version"}})["return_code"], 0) << "works again";
}

}  // namespace
}  // namespace taskd::ceph
