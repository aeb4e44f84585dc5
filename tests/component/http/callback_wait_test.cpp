#include "http/callback_wait.hpp"

#include <future>
#include <optional>
#include <thread>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

namespace taskd::http {
namespace {

using namespace std::chrono_literals;

net::awaitable<bool> wait_in(CallbackWait& wait, std::chrono::milliseconds timeout) {
    co_return co_await wait.wait_for(timeout);
}

/// What the wait returns when the io_context runs dry; nothing when it never returned.
std::optional<bool> result_of(net::io_context& context, CallbackWait& wait, std::chrono::milliseconds timeout) {
    std::optional<bool> result;
    net::co_spawn(context, wait_in(wait, timeout),
                  [&result](const std::exception_ptr&, bool called) { result = called; });
    context.run();
    return result;
}

TEST(CallbackWait, EndsWhenAnotherThreadCalls) {
    net::io_context context;
    CallbackWait wait(context.get_executor());
    std::thread caller([callback = wait.callback()] { callback(); });

    EXPECT_EQ(result_of(context, wait, 60s), true);

    caller.join();
}

TEST(CallbackWait, EndsAtOnceWhenItWasCalledBefore) {
    net::io_context context;
    CallbackWait wait(context.get_executor());
    wait.callback()();
    wait.callback()();

    EXPECT_EQ(result_of(context, wait, 60s), true);
}

TEST(CallbackWait, EndsWhenTheTimeIsUp) {
    net::io_context context;
    CallbackWait wait(context.get_executor());

    EXPECT_EQ(result_of(context, wait, 1ms), false);
}

TEST(CallbackWait, MayBeCalledWhenEverythingIsGone) {
    std::function<void()> callback;
    {
        net::io_context context;
        const CallbackWait wait(context.get_executor());
        callback = wait.callback();
    }

    callback();
}

TEST(CallbackWait, SurvivesCallsThatRaceWithItsEnd) {
    for (int round = 0; round < 200; ++round) {
        std::promise<std::function<void()>> made;
        std::thread caller([&made] { made.get_future().get()(); });
        {
            net::io_context context;
            CallbackWait wait(context.get_executor());
            made.set_value(wait.callback());
            EXPECT_TRUE(result_of(context, wait, std::chrono::milliseconds(round % 2)).has_value());
        }
        caller.join();
    }
}

}  // namespace
}  // namespace taskd::http
