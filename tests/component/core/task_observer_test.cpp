#include "support/manual_clock.hpp"
#include "support/manual_executor.hpp"

#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <taskd/error.hpp>

namespace taskd {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// Notes what it is told, in words.
class Notes final : public TaskObserver {
  public:
    void handle_start(const Task& task, std::chrono::nanoseconds waited) noexcept override {
        all.push_back(task.name() + " waited " + seconds(waited));
    }
    void handle_end(const Task& task, Outcome outcome, std::optional<std::chrono::nanoseconds> ran) noexcept override {
        const std::string words[]{"succeeded", "failed", "cancelled"};
        all.push_back(task.name() + " " + words[static_cast<int>(outcome)] + (ran ? " after " + seconds(*ran) : ""));
    }

    std::vector<std::string> all;

  private:
    static std::string seconds(std::chrono::nanoseconds time) {
        return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(time).count()) + " s";
    }
};

class TaskObserverTest : public testing::Test {
  protected:
    Notes notes_;
    test::ManualClock clock_;
    TaskManager manager_{{.sweep_interval = 0ms, .clock = &clock_, .observer = &notes_}};
};

TEST_F(TaskObserverTest, IsToldHowLongATaskWaitedAndRan) {
    const auto task = test::run_manual(manager_, "a");
    clock_.advance(3s);
    task.task->set_phase(TaskPhase::running);
    clock_.advance(7s);
    task.finish();

    EXPECT_THAT(notes_.all, ElementsAre("a waited 3 s", "a succeeded after 7 s"));
}

TEST_F(TaskObserverTest, IsToldBeforeWhoeverWaits) {
    const auto task = test::run_manual(manager_, "a");
    std::size_t told = 0;
    task.task->on_finished([&] { told = notes_.all.size(); });

    task.finish();

    EXPECT_EQ(told, 1U);
}

TEST_F(TaskObserverTest, TellsACancelFromAFailure) {
    test::run_manual(manager_, "a").fail(std::runtime_error("boom"));
    test::run_manual(manager_, "b").fail(Error(ErrorKind::refused, EPERM, "rbd", "no"));
    test::run_manual(manager_, "c").fail(Error(ErrorKind::cancelled, ECANCELED, "taskd", "stopped"));

    EXPECT_THAT(notes_.all, ElementsAre("a failed", "b failed", "c cancelled"));
}

TEST_F(TaskObserverTest, IsToldOfTheFirstStartOnly) {
    const auto task = test::run_manual(manager_, "a");
    task.task->set_phase(TaskPhase::running);
    clock_.advance(2s);
    task.task->set_phase(TaskPhase::queued);  // its worker died
    clock_.advance(2s);
    task.task->set_phase(TaskPhase::running);
    clock_.advance(2s);
    task.finish();

    EXPECT_THAT(notes_.all, ElementsAre("a waited 0 s", "a succeeded after 6 s"));
}

TEST_F(TaskObserverTest, DoesNotTakeAnEarlierLifeForWaiting) {
    RunOptions options;
    options.attempts = 1;
    options.begin_time = clock_.wall() - 1h;
    const auto task = test::run_manual(manager_, "a", nullptr, std::move(options));
    task.task->set_phase(TaskPhase::running);
    clock_.advance(1s);
    task.finish();

    EXPECT_THAT(notes_.all, ElementsAre("a succeeded after 1 s"));
}

TEST_F(TaskObserverTest, KnowsNothingOfATaskThatWasNeverAccepted) {
    RunOptions options;
    options.accepted = false;
    test::run_manual(manager_, "a", nullptr, std::move(options)).fail(std::runtime_error("no journal"));

    EXPECT_THAT(notes_.all, IsEmpty());
}

}  // namespace
}  // namespace taskd
