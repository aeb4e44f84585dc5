#include "core/prompt_thread.hpp"

#include <thread>

#include <gtest/gtest.h>
#include <sched.h>

namespace taskd {

struct PromptThreadTest {
    static void look_at(PromptThread& thread, std::chrono::milliseconds later,
                        std::chrono::milliseconds processor_time) {
        thread.look_at(thread.looked_at_ + later, thread.had_ + processor_time);
    }
};

namespace {

using std::chrono::milliseconds;

bool is_real_time() {
    return (sched_getscheduler(0) & ~SCHED_RESET_ON_FORK) == SCHED_RR;
}

TEST(PromptThread, RunsBeforeOthersWhereTheSystemAllowsIt) {
    std::thread([] {
        PromptThread thread;
        const bool is_allowed = thread.begin(1);

        EXPECT_EQ(is_real_time(), is_allowed);
        std::thread([] { EXPECT_FALSE(is_real_time()) << "a thread that it makes"; }).join();
    }).join();
}

TEST(PromptThread, IsServedLikeAnyOtherWhileItTakesMoreThanHalfOfACore) {
    std::thread([] {
        PromptThread thread;
        const bool is_allowed = thread.begin(1);

        PromptThreadTest::look_at(thread, milliseconds(1'000), milliseconds(500));
        EXPECT_EQ(is_real_time(), is_allowed);
        PromptThreadTest::look_at(thread, milliseconds(1'000), milliseconds(501));
        EXPECT_FALSE(is_real_time());
        PromptThreadTest::look_at(thread, milliseconds(2'000), milliseconds(1'900));
        EXPECT_FALSE(is_real_time());
        PromptThreadTest::look_at(thread, milliseconds(1'000), milliseconds(10));
        EXPECT_EQ(is_real_time(), is_allowed);
    }).join();
}

TEST(PromptThread, SharesThatWithOthers) {
    std::thread([] {
        PromptThread thread;
        const bool is_allowed = thread.begin(4);

        PromptThreadTest::look_at(thread, milliseconds(1'000), milliseconds(125));
        EXPECT_EQ(is_real_time(), is_allowed);
        PromptThreadTest::look_at(thread, milliseconds(1'000), milliseconds(126));
        EXPECT_FALSE(is_real_time());
    }).join();
}

}  // namespace
}  // namespace taskd
