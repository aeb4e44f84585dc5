#include "mgr/task_feed.hpp"

#include "http/server.hpp"
#include "support/fake_command_caller.hpp"
#include "support/manual_clock.hpp"

#include <atomic>
#include <cerrno>
#include <latch>
#include <mutex>
#include <thread>

#include <gmock/gmock.h>

namespace taskd::mgr {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

/// A mgr with a progress module and a dashboard, both the test's, and a feed that looks at them.
class TaskFeedTest : public ::testing::Test {
  protected:
    TaskFeedTest() {
        server.start();
        url = "http://" + server.endpoints().front().text() + "/prefix/";
    }
    ~TaskFeedTest() override { server.stop(0ms); }

    http::Router router() {
        http::Router routes;
        routes.add("GET", "/prefix/api/task", http::SyncHandler([this](const http::Request& request) {
                       ++looks;
                       const std::lock_guard lock(mutex);
                       asked_with = request.headers.find("Authorization").value_or("");
                       return dashboard;
                   }));
        return routes;
    }
    static http::ServerOptions somewhere() {
        http::ServerOptions options;
        options.listen.push_back(http::Endpoint::tcp("127.0.0.1", 0));
        return options;
    }

    /// What the dashboard answers from now on.
    void dashboard_answers(int status, std::string type, std::string body) {
        http::Response response;
        response.status = status;
        response.content_type = std::move(type);
        response.body = std::move(body);
        const std::lock_guard lock(mutex);
        dashboard = std::move(response);
    }
    void dashboard_lists(const json& executing, const json& finished = json::array()) {
        dashboard_answers(200, "application/vnd.ceph.api.v1.0+json",
                          json{{"executing_tasks", executing}, {"finished_tasks", finished}}.dump());
    }
    void mgr_tells(const json& events) {
        const std::lock_guard lock(mutex);
        progress = {0, {}, json{{"events", events}, {"completed", json::array()}}.dump()};
    }
    void mgr_is(std::string id) {
        const std::lock_guard lock(mutex);
        mgr_id = std::move(id);
    }

    /// As the dashboard lists one that began so long ago, by the clock of a mgr that is five hours behind UTC.
    json local_task(const std::string& name, std::chrono::nanoseconds ago = 0s) const {
        return {{"name", name},
                {"metadata", {{"image_spec", "rbd/x"}}},
                {"begin_time", format_utc(clock.wall() - ago - 5h)},
                {"progress", 0}};
    }
    json event_now() const {
        const auto epoch = std::chrono::duration<double>(clock.wall().time_since_epoch()).count();
        return {{"message", "m"},
                {"progress", 0.5},
                {"started_at", epoch},
                {"refs", {{"origin", "rbd_support"}, {"action", "remove"}, {"pool_name", "rbd"}, {"image_name", "x"}}}};
    }

    void start() {
        TaskFeedOptions options;
        options.period = 1ms;
        options.answer_timeout = 5s;
        options.clock = &clock;
        feed.emplace(
            sender,
            [this] {
                const std::lock_guard lock(mutex);
                return ActiveMgr{mgr_id, url};
            },
            [] { return std::optional<std::string>("a-token"); }, options);
    }
    /// Asks until it is so.
    MgrTaskList list_when(const std::function<bool(const MgrTaskList&)>& condition) {
        for (;;) {
            auto list = feed->current();
            if (condition(list)) return list;
            std::this_thread::yield();
        }
    }
    MgrTaskList list_of(std::size_t executing) {
        return list_when([&](const auto& list) { return list.executing.size() == executing; });
    }
    /// The feed has seen what there is: two more looks have begun.
    void let_it_look() {
        const int seen = looks;
        while (looks < seen + 3) {
            feed->current();
            std::this_thread::yield();
        }
    }

    test::ManualClock clock;
    std::atomic<int> looks{0};
    std::mutex mutex;
    std::string mgr_id = "x";
    std::string url;
    std::string asked_with;
    http::Response dashboard;
    ceph::CommandResult progress{-ENOENT, "no mgr", {}};
    std::shared_ptr<test::FakeCommandCaller> caller =
        std::make_shared<test::FakeCommandCaller>([this](const ceph::CommandTarget&, const json&) {
            const std::lock_guard lock(mutex);
            return progress;
        });
    ceph::CommandSender sender{caller};
    http::Server server{somewhere(), router()};
    std::optional<TaskFeed> feed;
};

TEST_F(TaskFeedTest, AsksNothingWhileNobodyAsksIt) {
    start();
    EXPECT_TRUE(caller->calls().empty());

    feed->current();
    caller->wait_for_calls(3);

    const auto [target, command] = caller->calls().at(0);
    EXPECT_EQ(target, "mgr");
    EXPECT_EQ(command["prefix"], "progress json");
}

TEST_F(TaskFeedTest, LeavesTheMgrAloneWhenNobodyAsksAnyMore) {
    start();
    feed->current();
    caller->wait_for_calls(2);

    clock.advance(16s);

    // One look may be under way; then there are no more.
    std::size_t before = 0;
    do {
        before = caller->calls().size();
        std::this_thread::yield();
    } while (caller->calls().size() != before);
    feed->current();
    caller->wait_for_calls(before + 2);
}

TEST_F(TaskFeedTest, TellsOfTheMgrsEvents) {
    mgr_tells(json::array({event_now()}));
    start();

    const auto list = list_of(1);

    EXPECT_EQ(list.executing[0]->task.name, "rbd/delete");
    EXPECT_EQ(list.executing[0]->task.begin_time, std::chrono::floor<std::chrono::microseconds>(clock.wall()));
    EXPECT_EQ(list.executing[0]->task.progress, 50);
}

TEST_F(TaskFeedTest, TellsOfTheDashboardsTasksInUtcOnceItKnowsTheTimeZone) {
    dashboard_lists(json::array({local_task("pool/create", 1h)}));
    start();
    let_it_look();
    EXPECT_TRUE(feed->current().empty()) << "nobody knows when the first one began";

    dashboard_lists(json::array({local_task("pool/create", 1h), local_task("pool/edit")}));

    const auto list = list_of(2);
    EXPECT_EQ(list.executing[0]->task.name, "pool/edit");
    EXPECT_EQ(list.executing[0]->task.begin_time, std::chrono::floor<std::chrono::microseconds>(clock.wall()));
    EXPECT_EQ(list.executing[1]->task.begin_time, std::chrono::floor<std::chrono::microseconds>(clock.wall() - 1h));
    const std::lock_guard lock(mutex);
    EXPECT_EQ(asked_with, "Bearer a-token");
}

TEST_F(TaskFeedTest, LearnsTheTimeZoneFromATaskThatEnds) {
    auto task = local_task("pool/create", 1h);
    dashboard_lists(json::array({task}));
    start();
    let_it_look();

    task.update({{"end_time", format_utc(clock.wall() - 5h)},
                 {"duration", 3600.0},
                 {"success", true},
                 {"ret_value", nullptr},
                 {"exception", nullptr}});
    dashboard_lists(json::array(), json::array({task}));

    const auto list = list_when([](const auto& known) { return !known.finished.empty(); });
    EXPECT_EQ(list.finished[0]->task.end->time, std::chrono::floor<std::chrono::microseconds>(clock.wall()));
}

TEST_F(TaskFeedTest, LearnsTheTimeZoneFromAnEventAndTellsOfItOnce) {
    mgr_tells(json::array({event_now()}));
    dashboard_lists(json::array({local_task("rbd/delete"), local_task("pool/create", 2h)}));
    start();

    const auto list = list_of(2);

    EXPECT_EQ(list.executing[0]->task.name, "rbd/delete");
    EXPECT_TRUE(list.executing[0]->task.is_event);
    EXPECT_EQ(list.executing[1]->task.name, "pool/create");
    let_it_look();
    EXPECT_EQ(feed->current().executing.size(), 2);
}

TEST_F(TaskFeedTest, ForgetsTheTasksOfAMgrThatIsReplaced) {
    mgr_tells(json::array({event_now()}));
    dashboard_lists(json::array({local_task("rbd/delete"), local_task("pool/create", 2h)}));
    start();
    list_of(2);
    mgr_tells(json::array());
    dashboard_lists(json::array({local_task("pool/create", 2h)}));
    list_of(1);

    mgr_is("y");

    list_of(0);
    let_it_look();
    EXPECT_TRUE(feed->current().empty()) << "what time zone the new one is in is not known";
}

TEST_F(TaskFeedTest, DropsWhatIsOldAndHasItAgainWhenTheMgrAnswersAgain) {
    mgr_tells(json::array({event_now()}));
    start();
    list_of(1);

    {
        const std::lock_guard lock(mutex);
        progress = {-ETIMEDOUT, "", {}};
    }
    const auto asked = caller->calls().size();
    caller->wait_for_calls(asked + 3);
    clock.advance(9s);
    EXPECT_EQ(feed->current().executing.size(), 1);
    clock.advance(1s);
    EXPECT_TRUE(feed->current().empty());

    mgr_tells(json::array({event_now()}));
    list_of(1);
}

TEST_F(TaskFeedTest, TakesNothingFromAStandbyOrAPage) {
    mgr_tells(json::array({event_now()}));
    dashboard_lists(json::array({local_task("rbd/delete"), local_task("pool/create")}));
    start();
    list_of(2);

    for (const auto& [status, type] : {std::pair{303, "text/html"}, {200, "text/html"}, {401, "application/json"}}) {
        dashboard_answers(status, type, R"({"executing_tasks":[],"finished_tasks":[]})");
        let_it_look();
        EXPECT_EQ(feed->current().executing.size(), 2) << status << " " << type << ": what was known is kept a while";
    }
    clock.advance(11s);
    const auto list = list_when([](const auto& known) { return known.executing.size() == 1; });
    EXPECT_TRUE(list.executing[0]->task.is_event);
}

TEST_F(TaskFeedTest, NeverWaitsForAMgrThatDoesNotAnswer) {
    std::latch never{1};
    ceph::CommandSender stuck(std::make_shared<test::FakeCommandCaller>([&](const ceph::CommandTarget&, const json&) {
        never.wait();
        return ceph::CommandResult();
    }));
    std::atomic<int> asked{0};
    TaskFeedOptions options;
    options.period = 1ms;
    TaskFeed stuck_feed(
        stuck,
        [&] {
            ++asked;
            return ActiveMgr();
        },
        [] { return std::nullopt; }, options);

    while (asked < 5) EXPECT_TRUE(stuck_feed.current().empty());

    EXPECT_EQ(stuck.load().running + stuck.load().waiting, 1) << "it is asked once and not again";
    never.count_down();
}

}  // namespace
}  // namespace taskd::mgr
