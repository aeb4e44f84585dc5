#include "ceph/command_sender.hpp"

#include "support/blocker.hpp"
#include "support/collected.hpp"
#include "support/fake_command_caller.hpp"

#include <atomic>
#include <cerrno>
#include <functional>
#include <latch>
#include <random>
#include <set>
#include <thread>

#include <gmock/gmock.h>

namespace taskd::ceph {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using ::testing::HasSubstr;

const CommandTarget mon{CommandTarget::Kind::mon, ""};
const CommandTarget mgr{CommandTarget::Kind::mgr, ""};

json command(const std::string& prefix) {
    return {{"prefix", prefix}};
}

/// The answers of a test's commands, in the order in which they came.
struct Answers : test::Collected<CommandAnswer> {
    CommandSender::Callback collect() {
        return [this](CommandAnswer answer) { add(std::move(answer)); };
    }
};

int code_of(const CommandAnswer& answer) {
    if (!answer.error) return 0;
    try {
        std::rethrow_exception(answer.error);
    } catch (const Error& error) {
        return error.errno_value();
    }
}

std::string text_of(const CommandAnswer& answer) {
    return answer.error ? error_text(answer.error) : "";
}

std::shared_ptr<test::FakeCommandCaller> echo() {
    return std::make_shared<test::FakeCommandCaller>([](const CommandTarget&, const json& given) {
        return CommandResult{0, "", given.dump()};
    });
}

TEST(CommandSender, GivesTheDaemonsAnswer) {
    Answers answers;
    CommandSender sender(echo());

    sender.send(mon, command("status"), "", answers.collect());

    EXPECT_EQ(answers.wait_for(1)[0].result.output, R"({"prefix":"status"})");
}

TEST(CommandSender, GivesTheReasonWhenACommandIsNotSent) {
    Answers answers;
    CommandSender sender(std::make_shared<test::FakeCommandCaller>(
        [](const CommandTarget&, const json&) -> CommandResult { throw BadRequest("prefix", "not known"); }));

    sender.send(mon, command("dance"), "", answers.collect());

    EXPECT_EQ(text_of(answers.wait_for(1)[0]), "prefix: not known");
}

TEST(CommandSender, RunsAsManyCommandsAtOnceAsItHasThreads) {
    constexpr std::ptrdiff_t at_once = 48;
    std::latch all_there{at_once};
    Answers answers;
    CommandSender sender(std::make_shared<test::FakeCommandCaller>([&](const CommandTarget&, const json&) {
        all_there.arrive_and_wait();  // returns only when all of them run at the same time
        return CommandResult();
    }));

    for (std::ptrdiff_t n = 0; n < at_once; ++n) sender.send(mon, command("status"), "", answers.collect());

    EXPECT_EQ(answers.wait_for(at_once).size(), static_cast<std::size_t>(at_once));
}

TEST(CommandSender, NeverHasMoreThreadsThanAllowed) {
    Answers answers;
    CommandSender sender(echo(), {.max_threads = 4});

    for (int n = 0; n < 200; ++n) {
        sender.send(n % 2 == 0 ? mon : mgr, command("status"), "", answers.collect());
        EXPECT_LE(sender.load().threads, 4U);
    }

    answers.wait_for(200);
}

TEST(CommandSender, LetsIdleThreadsGo) {
    Answers answers;
    CommandSender sender(echo(), {.idle_timeout = 1ms});

    sender.send(mon, command("status"), "", answers.collect());
    answers.wait_for(1);

    while (sender.load().threads > 0) std::this_thread::yield();
}

TEST(CommandSender, SendsWhatACallbackSendsByTheSameThread) {
    constexpr int chain = 50;
    Answers answers;
    std::set<std::thread::id> threads;  // one after the other, if at all more than one
    CommandSender sender(std::make_shared<test::FakeCommandCaller>([&](const CommandTarget&, const json&) {
        threads.insert(std::this_thread::get_id());
        return CommandResult();
    }));
    std::function<void(int)> send_the_rest = [&](int left) {
        sender.send(mon, command("status"), "", [&, left](CommandAnswer answer) {
            if (left > 1) send_the_rest(left - 1);
            answers.add(std::move(answer));
        });
    };

    send_the_rest(chain);

    answers.wait_for(chain);
    EXPECT_EQ(threads.size(), 1U);
    EXPECT_EQ(sender.load().threads, 1U);
}

TEST(CommandSender, LeavesWhatACallbackSendsToAnotherThreadWhenItsOwnHasACommandThatWasHeldBack) {
    std::latch first{1};
    std::latch never{1};
    Answers answers;
    CommandSender sender(std::make_shared<test::FakeCommandCaller>([&](const CommandTarget& target, const json& given) {
                             if (target == mon) (given == command("first") ? first : never).wait();
                             return CommandResult();
                         }),
                         {.max_threads = 4, .idle_timeout = 1h});
    const auto ignore = [](const CommandAnswer&) {};
    sender.send(mon, command("first"), "",
                [&](const CommandAnswer&) { sender.send(mgr, command("pg stat"), "", answers.collect()); });
    for (int n = 0; n < 2; ++n) sender.send(mon, command("status"), "", ignore);
    while (sender.load().running < 3) std::this_thread::yield();
    sender.send(mon, command("held back"), "", ignore);  // the monitors have three of the four threads

    first.count_down();

    EXPECT_EQ(code_of(answers.wait_for(1)[0]), 0);
    never.count_down();
}

TEST(CommandSender, RunsAllThatACallbackSendsAtOnce) {
    constexpr std::ptrdiff_t at_once = 8;
    std::latch all_there{at_once};
    Answers answers;
    CommandSender sender(std::make_shared<test::FakeCommandCaller>([&](const CommandTarget&, const json& given) {
        if (given == command("second")) all_there.arrive_and_wait();
        return CommandResult();
    }));

    sender.send(mon, command("first"), "", [&](const CommandAnswer&) {
        for (std::ptrdiff_t n = 0; n < at_once; ++n) sender.send(mon, command("second"), "", answers.collect());
    });

    EXPECT_EQ(answers.wait_for(at_once).size(), static_cast<std::size_t>(at_once));
}

TEST(CommandSender, KeepsThreadsForTheMonsWhenTheMgrDoesNotAnswer) {
    std::latch never{1};
    Answers answers;
    CommandSender sender(std::make_shared<test::FakeCommandCaller>([&](const CommandTarget& target, const json&) {
                             if (target == mgr) never.wait();
                             return CommandResult();
                         }),
                         {.max_threads = 4});
    for (int n = 0; n < 10; ++n) sender.send(mgr, command("pg stat"), "", [](const CommandAnswer&) {});

    sender.send(mon, command("status"), "", answers.collect());

    EXPECT_EQ(code_of(answers.wait_for(1)[0]), 0);
    never.count_down();
}

TEST(CommandSender, StartsCommandsInTheOrderGiven) {
    test::Blocker blocker;
    Answers answers;
    const auto caller = std::make_shared<test::FakeCommandCaller>([&](const CommandTarget&, const json& given) {
        if (given["prefix"] == "first") blocker.block();
        return CommandResult();
    });
    CommandSender sender(caller, {.max_threads = 1});
    sender.send(mon, command("first"), "", answers.collect());
    blocker.wait_until_blocked();

    for (const char* prefix : {"second", "third", "fourth"})
        sender.send(prefix[0] == 't' ? mgr : mon, command(prefix), "", answers.collect());
    blocker.release();
    answers.wait_for(4);

    EXPECT_EQ(caller->calls()[1].second, command("second"));
    EXPECT_EQ(caller->calls()[2].second, command("third"));
    EXPECT_EQ(caller->calls()[3].second, command("fourth"));
}

TEST(CommandSender, RefusesWhatIsMoreThanItsCapacity) {
    test::Blocker blocker;
    Answers answers;
    CommandSender sender(std::make_shared<test::FakeCommandCaller>([&](const CommandTarget&, const json&) {
                             blocker.block();
                             return CommandResult();
                         }),
                         {.max_threads = 1, .capacity = 1});
    sender.send(mon, command("status"), "", answers.collect());

    EXPECT_THROW(sender.send(mon, command("status"), "", answers.collect()), QueueFull);

    blocker.release();
    EXPECT_EQ(answers.wait_for(1).size(), 1U);
}

TEST(CommandSender, AnswersForADaemonThatDoesNot) {
    std::latch never{1};
    Answers answers;
    CommandSender sender(std::make_shared<test::FakeCommandCaller>([&](const CommandTarget&, const json&) {
                             never.wait();
                             return CommandResult();
                         }),
                         {.max_threads = 1, .deadline = 5ms});

    std::string text;
    std::size_t sent = 0;
    do {  // a slow machine may give it up before it is sent: then once more
        sender.send(mgr, command("pg stat"), "", answers.collect());
        text = text_of(answers.wait_for(++sent).back());
    } while (text ==
             "[errno 110] RADOS timed out (mgr command 'pg stat' was not sent in 5 ms: earlier ones get no answer)");
    EXPECT_EQ(text,
              "[errno 110] RADOS timed out (mgr command 'pg stat' got no answer in 5 ms and may still take effect)");

    sender.send(mgr, command("osd df"), "", answers.collect());
    EXPECT_EQ(text_of(answers.wait_for(++sent).back()),
              "[errno 110] RADOS timed out (mgr command 'osd df' was not sent in 5 ms: earlier ones get no answer)");
    never.count_down();
}

TEST(CommandSender, WatchesTheDeadlineOfACommandThatComesWhenNothingWasUnderWay) {
    std::latch never{1};
    Answers answers;
    CommandSender sender(std::make_shared<test::FakeCommandCaller>([&](const CommandTarget&, const json& given) {
                             if (given["prefix"] == "hang") never.wait();
                             return CommandResult();
                         }),
                         {.deadline = 5ms});
    sender.send(mon, command("hang"), "", answers.collect());
    answers.wait_for(1);

    sender.send(mon, command("hang"), "", answers.collect());

    EXPECT_EQ(code_of(answers.wait_for(2)[1]), ETIMEDOUT);
    never.count_down();
}

TEST(CommandSender, NeverSendsACommandThatItHasGivenUp) {
    test::Blocker blocker;
    Answers answers;
    const auto caller = std::make_shared<test::FakeCommandCaller>([&](const CommandTarget&, const json&) {
        blocker.block();
        return CommandResult();
    });
    CommandSender sender(caller, {.max_threads = 1, .deadline = 5ms});
    sender.send(mon, command("first"), "", answers.collect());
    sender.send(mon, command("second"), "", answers.collect());
    answers.wait_for(2);

    blocker.release();
    sender.stop();

    // A slow machine may give up even the first before it is sent; then the second may have been, in time.
    EXPECT_LE(caller->calls().size(), 1U);
}

TEST(CommandSender, TakesBackACommandThatWaits) {
    test::Blocker blocker;
    Answers answers;
    CommandSender sender(std::make_shared<test::FakeCommandCaller>([&](const CommandTarget&, const json&) {
                             blocker.block();
                             return CommandResult();
                         }),
                         {.max_threads = 1});
    const auto sent = sender.send(mon, command("first"), "", answers.collect());
    blocker.wait_until_blocked();
    const auto waiting = sender.send(mon, command("second"), "", answers.collect());

    EXPECT_TRUE(sender.cancel(waiting));
    EXPECT_FALSE(sender.cancel(waiting));
    EXPECT_FALSE(sender.cancel(sent));

    EXPECT_EQ(code_of(answers.wait_for(1)[0]), ECANCELED);
    blocker.release();
    EXPECT_EQ(code_of(answers.wait_for(2)[1]), 0);
}

TEST(CommandSender, AnswersEverythingWhenItStops) {
    test::Blocker blocker;
    Answers answers;
    CommandSender sender(std::make_shared<test::FakeCommandCaller>([&](const CommandTarget&, const json&) {
                             blocker.block();
                             return CommandResult();
                         }),
                         {.max_threads = 1});
    for (int n = 0; n < 10; ++n) sender.send(mon, command("status"), "", answers.collect());
    blocker.wait_until_blocked();

    std::thread stopper([&] { sender.stop(); });
    EXPECT_EQ(code_of(answers.wait_for(9)[8]), ECANCELED);
    blocker.release();
    stopper.join();

    EXPECT_EQ(answers.size(), 10U);
    EXPECT_EQ(code_of(answers.values()[9]), 0);
    EXPECT_THROW(sender.send(mon, command("status"), "", answers.collect()), Error);
}

TEST(CommandSender, DoesNotStopForEverForADaemonThatDoesNotAnswer) {
    // Shared with the thread that is left behind, and new each time that the test is repeated.
    const auto never = std::make_shared<std::latch>(1);
    Answers answers;
    CommandSender sender(std::make_shared<test::FakeCommandCaller>([never](const CommandTarget&, const json&) {
                             never->wait();
                             return CommandResult();
                         }),
                         {.stop_grace = 5ms});
    sender.send(mgr, command("pg stat"), "", answers.collect());
    while (sender.load().running == 0) std::this_thread::yield();

    sender.stop();

    EXPECT_THAT(text_of(answers.wait_for(1)[0]), HasSubstr("got no answer before the shutdown"));
    never->count_down();
    while (sender.load().threads > 0) std::this_thread::yield();
}

TEST(CommandSender, SurvivesACallbackThatThrows) {
    Answers answers;
    CommandSender sender(echo(), {.max_threads = 1});

    sender.send(mon, command("first"), "", [](const CommandAnswer&) { throw std::runtime_error("oops"); });
    sender.send(mon, command("second"), "", answers.collect());

    EXPECT_EQ(code_of(answers.wait_for(1)[0]), 0);
}

TEST(CommandSender, AnswersEachCommandOnceWhateverHappens) {
    constexpr int commands = 2000;
    std::atomic<int> answered{0};
    std::vector<std::atomic<int>> times(commands);
    {
        CommandSender sender(echo(), {.max_threads = 8, .idle_timeout = 1ms, .deadline = 2ms});
        std::mt19937 random(::testing::UnitTest::GetInstance()->random_seed());
        for (int n = 0; n < commands; ++n) {
            const auto ticket =
                sender.send(n % 3 == 0 ? mgr : mon, command("status"), "", [&, n](const CommandAnswer&) {
                    ++times[static_cast<std::size_t>(n)];
                    ++answered;
                });
            if (random() % 4 == 0) sender.cancel(ticket);
        }
    }  // stops with commands under way

    EXPECT_EQ(answered, commands);
    for (const auto& count : times) EXPECT_EQ(count, 1);
}

}  // namespace
}  // namespace taskd::ceph
