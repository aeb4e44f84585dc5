#include "cli/waiter.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace taskd::cli {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using namespace std::chrono_literals;

const SteadyTime t0{1000s};

Answer running(int percent = 0) {
    return {.status = 200, .body = json{{"id", "X"}, {"state", "running"}, {"progress", percent}}.dump()};
}

Answer done() {
    return {.status = 200,
            .body = json{{"id", "X"}, {"state", "finished"}, {"success", true}, {"progress", 100}}.dump()};
}

Answer failed() {
    return {.status = 200,
            .body = json{{"state", "finished"}, {"success", false}, {"exception", {{"detail", "busy"}}}}.dump()};
}

Answer error(int status) {
    return {.status = status, .body = R"({"detail":"reason"})"};
}

const Waiter::Ask& ask(const Waiter::Action& action) {
    return std::get<Waiter::Ask>(action);
}

TEST(Waiter, AsksAtOnceAndLetsTheDaemonHoldTheAnswer) {
    Waiter waiter("X", {.hold = 7s});
    const auto first = ask(waiter.begin(t0));
    EXPECT_EQ(first.at, t0);
    EXPECT_EQ(first.hold, 7s);
}

TEST(Waiter, EndsWithTheTask) {
    Waiter waiter("X", {});
    waiter.begin(t0);
    EXPECT_TRUE(std::holds_alternative<Waiter::Over>(waiter.on_answer(done(), t0, t0 + 1s)));
    EXPECT_EQ(waiter.outcome(), Outcome::succeeded);
    EXPECT_EQ(waiter.message(), "");
    EXPECT_EQ(waiter.task()["progress"], 100);
}

TEST(Waiter, TellsWhyATaskFailed) {
    Waiter waiter("X", {});
    waiter.on_answer(failed(), t0, t0 + 1s);
    EXPECT_EQ(waiter.outcome(), Outcome::failed);
    EXPECT_EQ(waiter.message(), "busy");
}

TEST(Waiter, AsksAgainAtOnceAfterAHeldAnswer) {
    Waiter waiter("X", {.hold = 2s});
    const auto next = ask(waiter.on_answer(running(), t0, t0 + 2s));
    EXPECT_EQ(next.at, t0 + 2s);
    EXPECT_EQ(next.hold, 2s);
}

TEST(Waiter, DoesNotHammerADaemonThatHoldsNothing) {
    Waiter waiter("X", {.spacing = 250ms});
    EXPECT_EQ(ask(waiter.on_answer(running(), t0, t0 + 1ms)).at, t0 + 250ms);
}

TEST(Waiter, GivesUpAtItsDeadline) {
    Waiter waiter("X", {.deadline = t0 + 10s});
    EXPECT_EQ(ask(waiter.on_answer(running(), t0 + 8s, t0 + 9s + 500ms)).hold, 1s);
    waiter.on_answer(running(), t0 + 9s, t0 + 10s);
    EXPECT_EQ(waiter.outcome(), Outcome::timed_out);
}

TEST(Waiter, ADeadlineNowIsOneLook) {
    Waiter waiter("X", {.deadline = t0});
    EXPECT_EQ(ask(waiter.begin(t0)).hold, 0s);
    waiter.on_answer(done(), t0, t0 + 1ms);
    EXPECT_EQ(waiter.outcome(), Outcome::succeeded);
}

TEST(Waiter, TriesALostDaemonAgainWithGrowingPauses) {
    Waiter waiter("X", {});
    SteadyTime now = t0;
    std::vector<std::chrono::milliseconds> pauses;
    for (int i = 0; i < 7; ++i) {
        const auto next = ask(waiter.on_no_answer("refused", now));
        EXPECT_EQ(next.hold, 0s);
        pauses.push_back(std::chrono::duration_cast<std::chrono::milliseconds>(next.at - now));
        now = next.at;
    }
    EXPECT_THAT(pauses, testing::ElementsAre(250ms, 500ms, 1s, 2s, 4s, 4s, 4s));
    EXPECT_EQ(waiter.trouble(), "refused");
}

TEST(Waiter, GoesOnWhenTheDaemonIsBack) {
    Waiter waiter("X", {});
    waiter.on_no_answer("refused", t0);
    waiter.on_answer(error(503), t0, t0 + 1s);
    EXPECT_EQ(waiter.trouble(), "reason");
    waiter.on_answer(running(40), t0 + 2s, t0 + 2s);
    EXPECT_EQ(waiter.trouble(), "");
    EXPECT_EQ(waiter.task()["progress"], 40);
}

TEST(Waiter, GivesUpALostDaemonAfterItsTime) {
    Waiter waiter("X", {.reconnect = 60s});
    waiter.on_no_answer("refused", t0);
    EXPECT_FALSE(waiter.is_over());
    waiter.on_no_answer("refused", t0 + 59s);
    EXPECT_FALSE(waiter.is_over());
    waiter.on_no_answer("refused", t0 + 60s);
    EXPECT_EQ(waiter.outcome(), Outcome::unreachable);
    EXPECT_THAT(waiter.message(), HasSubstr("refused"));
}

TEST(Waiter, WithADeadlineTheDeadlineAloneDecides) {
    Waiter waiter("X", {.deadline = t0 + 300s, .reconnect = 60s});
    waiter.on_no_answer("refused", t0);
    waiter.on_no_answer("refused", t0 + 200s);
    EXPECT_FALSE(waiter.is_over());
    waiter.on_no_answer("refused", t0 + 300s);
    EXPECT_EQ(waiter.outcome(), Outcome::unreachable);
}

TEST(Waiter, ATaskThatNeverWasIsNotWaitedFor) {
    Waiter waiter("X", {});
    waiter.on_answer(error(404), t0, t0);
    EXPECT_EQ(waiter.outcome(), Outcome::failed);
    EXPECT_EQ(waiter.message(), "there is no task X");
}

TEST(Waiter, ATaskThatWasForgottenIsNotASuccess) {
    Waiter waiter("X", {});
    waiter.on_answer(running(), t0, t0);
    waiter.on_answer(error(404), t0 + 1s, t0 + 1s);
    EXPECT_EQ(waiter.outcome(), Outcome::failed);
    EXPECT_THAT(waiter.message(), HasSubstr("how it ended is not known"));
}

TEST(Waiter, AnAcceptedTaskThatIsNotKnownWasForgotten) {
    Waiter waiter("X", {.accepted = true, .recovery = 5s});
    waiter.on_answer(error(404), t0, t0);
    EXPECT_FALSE(waiter.is_over());
    waiter.on_answer(error(404), t0 + 5s, t0 + 5s);
    EXPECT_EQ(waiter.outcome(), Outcome::failed);
    EXPECT_THAT(waiter.message(), HasSubstr("how it ended is not known"));
}

TEST(Waiter, ADaemonThatCameBackMayTakeAMomentToKnowTheTask) {
    Waiter waiter("X", {.recovery = 5s});
    waiter.on_answer(running(), t0, t0);
    waiter.on_no_answer("refused", t0 + 1s);
    waiter.on_answer(error(404), t0 + 30s, t0 + 30s);
    EXPECT_FALSE(waiter.is_over());
    waiter.on_answer(error(404), t0 + 34s, t0 + 34s);
    EXPECT_FALSE(waiter.is_over());
    waiter.on_answer(error(404), t0 + 35s, t0 + 35s);
    EXPECT_EQ(waiter.outcome(), Outcome::failed);
}

TEST(Waiter, DoesNotArgueWithARefusal) {
    Waiter waiter("X", {});
    waiter.on_answer(error(401), t0, t0);
    EXPECT_EQ(waiter.outcome(), Outcome::refused);
    EXPECT_EQ(waiter.message(), "reason");
}

TEST(Waiter, AnAnswerThatIsNoTaskIsTrouble) {
    Waiter waiter("X", {});
    for (const char* body : {"", "null", "[]", "{}", R"({"state":5})", "<html>"}) {
        waiter.on_answer({.status = 200, .body = body}, t0, t0);
        EXPECT_FALSE(waiter.is_over()) << body;
        EXPECT_NE(waiter.trouble(), "") << body;
    }
}

}  // namespace
}  // namespace taskd::cli
