#include "support/manual_clock.hpp"
#include "support/manual_executor.hpp"

#include <atomic>
#include <random>
#include <thread>

#include <gmock/gmock.h>
#include <taskd/task_manager.hpp>

namespace taskd {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using test::ManualTask;
using test::run_manual;

class TaskListTextTest : public testing::Test {
  protected:
    void expect_as_list() {
        manager_.sweep();  // which each of the two does behind its answer
        ASSERT_EQ(json::parse(manager_.list_text()), manager_.list_json());
    }

    static std::vector<std::string> names(const json& tasks) {
        std::vector<std::string> all;
        for (const auto& task : tasks) all.push_back(task.at("name"));
        return all;
    }
    /// One that ran from so long ago until so long ago, with empty metadata.
    OtherTask other(std::string_view text, std::string_view name, std::chrono::milliseconds began,
                    std::chrono::milliseconds ended = 0ms) {
        return {.name = name,
                .identity = "{}",
                .begin_time = clock_.wall() - began,
                .end_time = clock_.wall() - ended,
                .text = text};
    }
    json list_with(OtherTasks others, const NameFilter& wanted = {}) {
        return json::parse(manager_.list_text(wanted, others));
    }

    test::ManualClock clock_;
    TaskManager manager_{{.retention = {.ttl = 60s, .keep = 10, .most_listed = 300},
                          .sweep_interval = 0ms,
                          .threads = 1,
                          .clock = &clock_}};
};

TEST_F(TaskListTextTest, OfNothingIsTwoEmptyLists) {
    EXPECT_EQ(manager_.list_text(), R"({"executing_tasks":[],"finished_tasks":[]})");
}

TEST_F(TaskListTextTest, IsTheListHoweverTasksComeAndGo) {
    std::mt19937 random(20261128);  // NOLINT(cert-msc51-cpp): the same each time
    std::vector<ManualTask> executing;
    const auto ended = [&](std::chrono::seconds ago) {
        return json{{"name", "old"},
                    {"metadata", json::object()},
                    {"begin_time", format_utc(clock_.wall() - ago)},
                    {"end_time", format_utc(clock_.wall() - ago)},
                    {"duration", 0.0},
                    {"progress", 100},
                    {"success", true},
                    {"ret_value", nullptr},
                    {"exception", nullptr}};
    };
    for (int n = 0; n < 2000; ++n) {
        clock_.advance(std::chrono::milliseconds(random() % 100));
        switch (random() % 8) {
            case 0:
                clock_.advance(std::chrono::seconds(random() % 20));
                manager_.sweep();
                break;
            case 1:  // one that ended before others that are listed
                manager_.restore_finished("id-" + std::to_string(n), "old", json::object(), ended(random() % 30 * 1s));
                break;
            case 2:
                if (!executing.empty())
                    executing[random() % executing.size()].task->set_progress(static_cast<int>(random() % 100));
                break;
            case 3:
            case 4:
            case 5:
                executing.push_back(run_manual(manager_, "n", {{"n", n}}));
                break;
            default:
                if (executing.empty()) break;
                std::swap(executing[random() % executing.size()], executing.back());
                executing.back().finish(n);
                executing.pop_back();
        }
        manager_.list_text();  // keeps what is then to be forgotten in time
        if (n % 25 == 0) expect_as_list();
        if (HasFatalFailure()) return;
    }
    for (auto& task : executing) task.finish();
    expect_as_list();
    clock_.advance(61s);
    manager_.sweep();
    expect_as_list();
}

using Names = std::vector<std::string>;

TEST_F(TaskListTextTest, HasOthersAmongOursWhereverTheyBelong) {
    // More than are kept in one piece, each a step after the one before.
    constexpr auto step = 100ms;
    for (int n = 0; n < 100; ++n) {
        clock_.advance(step);
        run_manual(manager_, "ours-" + std::to_string(n)).finish();
    }
    for (const int steps_ago : {0, 1, 30, 31, 32, 33, 63, 64, 98, 99, 500}) {
        const auto ended = steps_ago * step;
        const auto newer = std::min(steps_ago, 99) + 1;  // ours of that very moment among them
        auto wanted = names(manager_.list_json()["finished_tasks"]);
        wanted.insert(wanted.begin() + newer, 2, "theirs");
        const std::string text = R"({"name":"theirs"})";

        const auto list = list_with({{}, {other(text, "theirs", 600s, ended), other(text, "theirs", 600s, ended)}});

        EXPECT_EQ(names(list["finished_tasks"]), wanted) << steps_ago;
    }
}

TEST_F(TaskListTextTest, HasOthersThatExecuteByTheirBegin) {
    const auto first = run_manual(manager_, "first");
    clock_.advance(10s);
    const auto second = run_manual(manager_, "second");
    clock_.advance(10s);

    const auto list =
        list_with({{other(R"({"name":"newest"})", "newest", 1s), other(R"({"name":"same"})", "same", 10s),
                    other(R"({"name":"middle"})", "middle", 15s), other(R"({"name":"oldest"})", "oldest", 21s)},
                   {}});

    EXPECT_EQ(names(list["executing_tasks"]), (Names{"newest", "second", "same", "middle", "first", "oldest"}));
    first.finish();
    second.finish();
}

TEST_F(TaskListTextTest, HasOnlyOthersWhenNothingIsOurs) {
    const auto list = list_with({{other(R"({"name":"a"})", "a", 1s)}, {other(R"({"name":"b"})", "b", 1s)}});

    EXPECT_EQ(names(list["executing_tasks"]), (Names{"a"}));
    EXPECT_EQ(names(list["finished_tasks"]), (Names{"b"}));
}

TEST_F(TaskListTextTest, HasOnlyNamesThatAreWanted) {
    for (int n = 0; n < 70; ++n) run_manual(manager_, n % 3 == 0 ? "wanted" : "other", {{"n", n}}).finish(n);
    const auto executing = run_manual(manager_, "other");
    const auto wanted = [](std::string_view name) { return name == "wanted"; };
    auto expected = manager_.list_json("wanted");

    EXPECT_EQ(list_with({}, wanted), expected);
    EXPECT_EQ(list_with({{other("{}", "other", 0s)}, {other("{}", "other", 0s)}}, wanted), expected);
    expected["finished_tasks"].push_back({{"name", "wanted"}});
    EXPECT_EQ(list_with({{}, {other(R"({"name":"wanted"})", "wanted", 9s, 9s)}}, wanted), expected);
    executing.finish();
}

TEST_F(TaskListTextTest, LeavesOutAnotherThatIsTheSameWorkAsOurs) {
    const auto executing = run_manual(manager_, "delete");
    auto same = other(R"({"name":"delete"})", "delete", 10s, 5s);
    EXPECT_EQ(names(list_with({{same}, {}})["executing_tasks"]), (Names{"delete"}));
    auto of_another_image = same;
    of_another_image.identity = "{another}";
    EXPECT_EQ(list_with({{of_another_image}, {}})["executing_tasks"].size(), 2);
    executing.finish();  // at the second in which it began
    const auto listed = [&](const OtherTask& task) { return list_with({{}, {task}})["finished_tasks"].size() - 1; };

    EXPECT_EQ(listed(same), 1) << "that may be anybody's";
    same.may_be_ours = true;
    EXPECT_EQ(listed(same), 1) << "that was over before ours began";
    same.end_time = clock_.wall();
    EXPECT_EQ(listed(same), 0);
    of_another_image.end_time = clock_.wall();
    of_another_image.may_be_ours = true;
    EXPECT_EQ(listed(of_another_image), 1);
    same.identity = {};
    EXPECT_EQ(listed(same), 1) << "like none of ours";
}

TEST_F(TaskListTextTest, HasNoTaskBeforeItIsAccepted) {
    RunOptions options;
    options.accepted = false;
    const auto manual = run_manual(manager_, "one", {}, std::move(options));
    EXPECT_EQ(manager_.list_text(), R"({"executing_tasks":[],"finished_tasks":[]})");

    manual.task->set_accepted();
    expect_as_list();
    manual.finish();
}

TEST_F(TaskListTextTest, IsWholeWhileTasksEndAndOthersRead) {
    std::atomic<bool> is_over = false;
    std::vector<std::thread> readers;
    for (int n = 0; n < 2; ++n)
        readers.emplace_back([&] {
            while (!is_over) {
                const auto list = json::parse(manager_.list_text());
                EXPECT_LE(list["executing_tasks"].size(), 1);
                EXPECT_LE(list["finished_tasks"].size(), 300);
            }
        });
    for (int n = 0; n < 1000; ++n) {
        run_manual(manager_, "n", {{"n", n}}).finish(std::string(n % 50 == 0 ? 100'000 : 10, 'x'));
        clock_.advance(300ms);
    }
    is_over = true;
    for (auto& reader : readers) reader.join();

    expect_as_list();
}

}  // namespace
}  // namespace taskd
