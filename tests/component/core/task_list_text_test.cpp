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
