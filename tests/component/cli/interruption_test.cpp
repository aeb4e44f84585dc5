#include "cli/process.hpp"

#include <csignal>

#include <gtest/gtest.h>

namespace taskd::cli {
namespace {

TEST(InterruptionDeathTest, CtrlCPrintsWhatWasSaidLastAndEndsWith130) {
    EXPECT_EXIT(
        {
            SignalInterruption interruption;
            interruption.say("before\n");
            interruption.say("the task goes on\n");
            ::raise(SIGINT);
        },
        testing::ExitedWithCode(130), "^the task goes on\n$");
}

TEST(InterruptionDeathTest, SigtermIs143) {
    EXPECT_EXIT(
        {
            SignalInterruption interruption;
            ::raise(SIGTERM);
        },
        testing::ExitedWithCode(143), "");
}

}  // namespace
}  // namespace taskd::cli
