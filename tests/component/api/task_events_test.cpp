#include "access_users.hpp"
#include "event_viewer.hpp"
#include "support/manual_executor.hpp"

#include <map>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace taskd::api {
namespace {

using namespace std::chrono_literals;
using http::test::eventually;
using nlohmann::json;
using test::run_manual;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// A front whose viewers are told at once what has changed.
class TaskEventsTest : public UsersTest {
  protected:
    explicit TaskEventsTest(TaskEventsOptions options = quick())
        : UsersTest(state_with({{"admin", user("administrator")},
                                {"reader", user("read-only")},
                                {"pools", user("pool-manager")},
                                {"rgw", user("rgw-manager")}})),
          events(tasks, options) {
        services.events = &events;
    }

    static TaskEventsOptions quick() {
        TaskEventsOptions options;
        options.gather = 5ms;
        options.look_again = 0ms;
        return options;
    }

    EventViewer view(const std::string& user = "admin", const std::string& headers = {}) {
        return EventViewer(server.endpoints().front(), "Authorization: Bearer " + token(user) + "\r\n" + headers);
    }
    /// One that has been told to read the list.
    EventViewer viewing(const std::string& user = "admin") {
        auto viewer = view(user);
        const auto first = viewer.next();
        EXPECT_TRUE(first && first->kind == "reset");
        return viewer;
    }
    /// The next event; a bad one when there is none.
    static EventViewer::Event next_of(EventViewer& viewer) {
        return viewer.next().value_or(EventViewer::Event{"", "none", nullptr});
    }
    /// Reads until a task is told as finished; the number of events until then.
    static int events_until_end_of(EventViewer& viewer, const Task& task, std::map<std::string, json>& seen) {
        for (int count = 1;; ++count) {
            const auto event = viewer.next();
            if (!event) return -1;
            if (event->kind != "task") continue;
            seen[event->data["id"]] = event->data;
            if (event->data["id"] == task.id() && event->data["state"] == "finished") return count;
        }
    }

    TaskEvents events;
};

TEST_F(TaskEventsTest, AreAStreamThatNobodyKeeps) {
    auto viewer = view("admin", "Accept-Encoding: gzip\r\n");

    EXPECT_EQ(viewer.status(), 200);
    for (const char* line : {"\r\nContent-Type: text/event-stream\r\n", "\r\nCache-Control: no-cache\r\n",
                             "\r\nX-Accel-Buffering: no\r\n", "\r\nTransfer-Encoding: chunked\r\n"})
        EXPECT_THAT(viewer.head(), HasSubstr(line));
    EXPECT_THAT(viewer.head(), Not(HasSubstr("Content-Encoding")));
    EXPECT_EQ(viewer.next_block(), "retry: 2000\n");
}

TEST_F(TaskEventsTest, BeginWithAReset) {
    auto viewer = view();

    const auto first = next_of(viewer);

    EXPECT_EQ(first.kind, "reset");
    EXPECT_EQ(first.data, json::object());
    EXPECT_THAT(first.id, HasSubstr("."));
}

TEST_F(TaskEventsTest, TellTheLifeOfATaskAsTheListsDo) {
    auto viewer = viewing();

    const auto manual = run_manual(tasks, "rbd/create", {{"image_name", "x"}});
    const auto accepted = next_of(viewer);
    EXPECT_EQ(accepted.kind, "task");
    EXPECT_EQ(accepted.data["state"], "queued");
    manual.task->set_phase(TaskPhase::running);
    EXPECT_EQ(next_of(viewer).data["state"], "running");
    manual.task->set_progress(42);
    const auto progress = next_of(viewer).data;
    EXPECT_EQ(progress["progress"], 42);
    manual.task->set_waiting_for("an image");
    EXPECT_EQ(next_of(viewer).data["waiting_for"], "an image");
    manual.finish();
    const auto end = next_of(viewer).data;

    const auto list = request("GET", "/api/task?detail=1", {}, {bearer(token("admin"))}).body["finished_tasks"];
    ASSERT_EQ(list.size(), 1U);
    EXPECT_EQ(end, list[0]);
    EXPECT_EQ(keys_of(progress), keys_of(accepted.data));
}

TEST_F(TaskEventsTest, HaveNoValueThatIsOnlyForTheOwner) {
    auto viewer = viewing();
    RunOptions options;
    options.owner = "admin";
    options.listed_value = [](const json&) { return json("withheld"); };
    const auto manual = run_manual(tasks, "command", {}, std::move(options));
    manual.finish("a secret");

    std::map<std::string, json> seen;
    events_until_end_of(viewer, *manual.task, seen);

    EXPECT_EQ(seen[manual.task->id()]["ret_value"], "withheld");
}

TEST_F(TaskEventsTest, DoNotTellOfATaskThatIsNotAccepted) {
    auto viewer = viewing();
    RunOptions options;
    options.accepted = false;
    const auto refused = run_manual(tasks, "rbd/create", {{"n", 1}}, std::move(options));
    refused.task->set_progress(1);
    refused.finish();
    const auto other = run_manual(tasks, "rbd/create", {{"n", 2}});

    EXPECT_EQ(next_of(viewer).data["id"], other.task->id());
}

TEST_F(TaskEventsTest, GoOnWhereTheClientWas) {
    auto first = viewing();
    const auto manual = run_manual(tasks, "rbd/create", {{"n", 1}});
    next_of(first);
    const auto header = first.last_event_id_header();
    first.close();
    const auto missed = run_manual(tasks, "rbd/create", {{"n", 2}});
    manual.task->set_progress(5);
    manual.finish();

    auto second = view("admin", header);
    std::map<std::string, json> seen;
    for (int count = 0; count < 2; ++count) {
        const auto event = next_of(second);
        ASSERT_EQ(event.kind, "task");
        seen[event.data["id"]] = event.data;
    }

    EXPECT_EQ(seen[missed.task->id()]["state"], "queued");
    EXPECT_EQ(seen[manual.task->id()]["state"], "finished") << "once, and the newest";
}

TEST_F(TaskEventsTest, BeginAnewForAClientOfAnotherLifeOrOfNone) {
    auto other = viewing();
    const auto life = other.last_id().substr(0, other.last_id().find('.'));

    for (const auto& id :
         {std::string("01ARZ3NDEKTSV4RRFFQ69G5FAV.1"), life, life + ".", life + ".x", life + ".-1", life + ".1x",
          life + ".4000000000", life + ".99999999999999999999", std::string("garbage")}) {
        auto viewer = view("admin", "Last-Event-ID: " + id + "\r\n");
        EXPECT_EQ(next_of(viewer).kind, "reset") << id;
    }
}

TEST_F(TaskEventsTest, EndWithTheActiveRole) {
    auto viewer = viewing();

    standing = {nullptr, {}, "standby"};
    events.close();

    EXPECT_FALSE(viewer.next()) << "in order, so that the client asks again";
    auto again = view();
    EXPECT_EQ(again.status(), 503);
    standing.active_url = "https://other:8280";
    auto elsewhere = view();
    EXPECT_EQ(elsewhere.status(), 303);
    EXPECT_THAT(elsewhere.head(), HasSubstr("\r\nLocation: https://other:8280/api/task/events\r\n"));
}

TEST_F(TaskEventsTest, AreNoneOnceTheRoleWasLost) {
    events.close();

    auto late = view();

    EXPECT_EQ(late.status(), 200);
    EXPECT_FALSE(late.next());
}

TEST_F(TaskEventsTest, EndWithTheServer) {
    auto viewer = viewing();

    const auto begin = std::chrono::steady_clock::now();
    server.stop(60s);

    EXPECT_LT(std::chrono::steady_clock::now() - begin, 30s) << "it waited for the grace time";
    EXPECT_FALSE(viewer.next());
}

TEST_F(TaskEventsTest, AreForNobodyWhenTheClientHasGone) {
    auto viewer = viewing();
    EXPECT_EQ(events.viewer_count(), 1U);
    EXPECT_EQ(server.statistics().connections_open, 1);

    viewer.close();

    EXPECT_TRUE(eventually([this] { return events.viewer_count() == 0; }));
    EXPECT_TRUE(eventually([this] { return server.statistics().connections_open == 0; }));
}

TEST_F(TaskEventsTest, WantAnEventStreamOrTheVersionOfTheOtherRoutes) {
    const auto asking = [this](const std::string& accept) {
        http::test::RawConnection connection(server.endpoints().front());
        connection.send(http::test::get("/api/task/events",
                                        "Authorization: Bearer " + token("admin") + "\r\nAccept: " + accept + "\r\n"));
        return http::test::status_of(connection.until("\r\n\r\n"));
    };

    EXPECT_EQ(asking("*/*"), 200);
    EXPECT_EQ(asking(media_type), 200);
    EXPECT_EQ(asking("text/html"), 415);
    EXPECT_EQ(request("GET", "/api/task", {}, {bearer(token("admin")), {"Accept", "text/event-stream"}}).status, 415);
    EXPECT_EQ(request("GET", "/api/task/events?nonsense=1", {}, {bearer(token("admin"))}).status, 400);
    EXPECT_EQ(request("HEAD", "/api/task/events", {}, {bearer(token("admin"))}).status, 404) << "as everywhere";
}

// --- who may see what

TEST_F(TaskEventsTest, AreForUsersOnly) {
    EventViewer nobody(server.endpoints().front());
    EXPECT_EQ(nobody.status(), 401);
}

TEST_F(TaskEventsTest, AreOfWhatTheCallerMaySee) {
    auto admin = viewing("admin");
    auto reader = viewing("reader");
    auto pools = viewing("pools");
    auto rgw = viewing("rgw");

    const auto command = run_manual(tasks, "command");
    const auto image = run_manual(tasks, "rbd/create");
    const auto pool = run_manual(tasks, "pool/create");
    const auto everybodys = run_manual(tasks, "progress/rebalance");

    const auto names = [](EventViewer& viewer) {
        std::vector<std::string> seen;
        do seen.push_back(next_of(viewer).data["name"]);
        while (seen.back() != "progress/rebalance");
        return seen;
    };
    using Names = std::vector<std::string>;
    EXPECT_EQ(names(admin), (Names{"command", "rbd/create", "pool/create", "progress/rebalance"}));
    EXPECT_EQ(names(reader), (Names{"rbd/create", "pool/create", "progress/rebalance"}));
    EXPECT_EQ(names(pools), (Names{"pool/create", "progress/rebalance"}));
    EXPECT_EQ(names(rgw), (Names{"progress/rebalance"}));
}

TEST_F(TaskEventsTest, EndWhenTheTokenIsRevoked) {
    auto viewer = viewing();
    {
        const std::lock_guard lock(mutex);
        auto changed = std::make_shared<auth::AccessState>(*state);
        changed->revoked["token of admin"] = INT64_MAX;
        state = changed;
    }

    run_manual(tasks, "rbd/create");

    EXPECT_FALSE(viewer.next()) << "nothing more is told";
    auto again = view();
    EXPECT_EQ(again.status(), 401);
}

TEST_F(TaskEventsTest, EndWhenTheUserIsDisabled) {
    auto viewer = viewing();
    {
        const std::lock_guard lock(mutex);
        auto disabled = user("administrator");
        disabled["enabled"] = false;
        state = state_with({{"admin", disabled}});
    }

    run_manual(tasks, "rbd/create");

    EXPECT_FALSE(viewer.next());
}

TEST_F(TaskEventsTest, EndWhenTheTokenExpires) {
    std::optional<EventViewer> viewer;
    std::optional<EventViewer::Event> first;
    std::int64_t expiry = 0;
    // On a busy machine a token of a second may end before its bearer is heard.
    while (!first) {
        expiry = auth::numeric_date_now() + 1;
        viewer.emplace(server.endpoints().front(),
                       "Authorization: Bearer " + auth::sign({"short", "admin", expiry - 60, expiry}, secret) + "\r\n");
        if (viewer->status() == 200) first = viewer->next();
    }
    ASSERT_EQ(first->kind, "reset");

    const auto manual = run_manual(tasks, "rbd/create");
    ASSERT_TRUE(eventually([&] { return auth::numeric_date_now() >= expiry; }));
    manual.task->set_progress(1);

    for (auto event = viewer->next(); event; event = viewer->next()) EXPECT_EQ(event->data["progress"], 0);
}

// --- many, slow and silent ones

class RareEventsTest : public TaskEventsTest {
  protected:
    RareEventsTest() : TaskEventsTest(rare()) {}

    static TaskEventsOptions rare() {
        auto options = quick();
        options.gather = 100ms;
        return options;
    }
};

TEST_F(RareEventsTest, TellTheNewestStateOfEachTaskOnce) {
    auto viewer = viewing();
    const auto one = run_manual(tasks, "rbd/create", {{"n", 1}});
    const auto other = run_manual(tasks, "rbd/create", {{"n", 2}});

    const auto begin = std::chrono::steady_clock::now();
    for (int count = 0; count < 1000; ++count) {
        one.task->set_progress(count % 100);
        other.task->set_progress(count % 99);
    }
    one.finish();
    other.finish();
    const auto looks = (std::chrono::steady_clock::now() - begin) / 100ms + 2;

    std::map<std::string, json> seen;
    const auto count = events_until_end_of(viewer, *other.task, seen);
    EXPECT_GT(count, 0);
    EXPECT_LE(count, 2 * looks);
    EXPECT_EQ(seen[one.task->id()]["state"], "finished");
}

class ShortLogTest : public TaskEventsTest {
  protected:
    ShortLogTest() : TaskEventsTest(with_short_log()) {}

    static TaskEventsOptions with_short_log() {
        auto options = quick();
        options.most_events = 4;
        return options;
    }
    void run_some(int count) {
        for (int number = 0; number < count; ++number) run_manual(tasks, "rbd/create", {{"n", ++made_}});
    }

  private:
    int made_ = 0;
};

TEST_F(ShortLogTest, BeginAnewForAClientThatMissedTooMuch) {
    auto first = viewing();
    run_some(1);
    next_of(first);
    auto stays = viewing();
    const auto header = first.last_event_id_header();
    first.close();
    run_some(8);
    for (bool is_there = false; !is_there;) is_there = next_of(stays).data.value("/metadata/n"_json_pointer, 9) == 9;

    auto second = view("admin", header);

    EXPECT_EQ(next_of(second).kind, "reset");
    run_some(1);
    EXPECT_EQ(next_of(second).kind, "task");
}

TEST_F(TaskEventsTest, SayThatAListIsToBeReadWhenATaskIsTooLargeForThem) {
    auto viewer = viewing();

    run_manual(tasks, "rbd/create", {{"large", std::string(300'000, 'x')}});

    EXPECT_EQ(next_of(viewer).kind, "reset");
}

TEST_F(TaskEventsTest, SkipToTheNewestForAClientThatReadsSlowly) {
    auto slow = viewing();
    slow.take_little_at_once();
    auto quick = viewing();
    // 1 MB for each round of changes: in all more than sockets hold. Events are not parsed, for that takes longer.
    constexpr int rounds = 8;
    std::vector<test::ManualTask> some;
    for (int number = 0; number < 10; ++number)
        some.push_back(run_manual(tasks, "rbd/create", {{"n", number}, {"large", std::string(100'000, 'x')}}));
    const auto is_told = [](const std::string& block, const Task& task, const std::string& what) {
        return block.find(task.id()) != std::string::npos && block.find(what) != std::string::npos;
    };
    for (int percent = 1; percent <= rounds; ++percent) {
        for (const auto& manual : some) manual.task->set_progress(percent);
        const auto progress = "\"progress\":" + std::to_string(percent) + ",";
        for (std::optional<std::string> block = ""; !is_told(*block, *some.back().task, progress);) {
            block = quick.next_block();
            ASSERT_TRUE(block);
        }
    }
    for (const auto& manual : some) manual.finish();

    int events_told = 0;
    std::set<std::string> ended;
    while (ended.size() < some.size()) {
        const auto block = slow.next_block();
        ASSERT_TRUE(block);
        ++events_told;
        for (const auto& manual : some)
            if (is_told(*block, *manual.task, R"("state":"finished")")) ended.insert(manual.task->id());
    }
    EXPECT_LT(events_told, 10 * (rounds + 1)) << "it was told states that were not the newest any more";
}

class SilentEventsTest : public TaskEventsTest {
  protected:
    SilentEventsTest() : TaskEventsTest(silent()) {}

    static TaskEventsOptions silent() {
        auto options = quick();
        options.keep_alive = 20ms;
        options.linger = 0ms;
        return options;
    }
};

TEST_F(SilentEventsTest, SayThatNothingIsNew) {
    auto viewer = viewing("rgw");
    run_manual(tasks, "rbd/create");  // which this one may not see

    auto block = viewer.next_block();
    ASSERT_TRUE(block);
    EXPECT_THAT(*block, StartsWith(": nothing new\nid: "));
    const auto reset_id = viewer.last_id();
    ASSERT_TRUE(eventually([&] {
        block = viewer.next_block();
        return block && block->find(reset_id + "\n") == std::string::npos;
    })) << "it is told how far it has seen";
}

TEST_F(SilentEventsTest, EndWhenTheTokenIsRevokedAlthoughNothingIsNew) {
    auto viewer = viewing();
    {
        const std::lock_guard lock(mutex);
        state = state_with({{"other", user("administrator")}});
    }

    while (viewer.next_block()) continue;
}

TEST_F(SilentEventsTest, AreNotGatheredWhileNobodyViews) {
    auto viewer = viewing();
    const auto manual = run_manual(tasks, "rbd/create");
    next_of(viewer);
    const auto header = viewer.last_event_id_header();
    viewer.close();
    ASSERT_TRUE(eventually([this] { return events.viewer_count() == 0; }));

    // The thread goes to rest in a moment; then a client that comes back has missed what nobody gathered.
    EXPECT_TRUE(eventually([&] {
        auto again = view("admin", header);
        again.next_block();  // when to come back
        const auto block = again.next_block();
        again.close();
        return block && block->find("event: reset") != std::string::npos;
    }));
}

}  // namespace
}  // namespace taskd::api
