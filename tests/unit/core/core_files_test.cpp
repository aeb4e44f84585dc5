#include "core/core_files.hpp"

#include <cstdlib>

#include <sys/prctl.h>
#include <sys/resource.h>

#include <gtest/gtest.h>

namespace taskd {
namespace {

// In processes of their own, which they change for good.

TEST(CoreFiles, AProcessThatForbidsThemWritesNoneAndCannotBeTraced) {
    EXPECT_EXIT(
        {
            forbid_core_files();
            allow_core_files();
            std::_Exit(are_core_files_forbidden() && ::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 ? 0 : 1);
        },
        ::testing::ExitedWithCode(0), "");
}

TEST(CoreFiles, AreAsLargeAsTheSystemLetsThemBeWhenTheyAreAllowed) {
    EXPECT_EXIT(
        {
            rlimit limit{};
            ::getrlimit(RLIMIT_CORE, &limit);
            limit.rlim_cur = 0;
            ::setrlimit(RLIMIT_CORE, &limit);
            allow_core_files();
            rlimit now{};
            ::getrlimit(RLIMIT_CORE, &now);
            std::_Exit(now.rlim_cur == limit.rlim_max && are_core_files_forbidden() == (limit.rlim_max == 0) ? 0 : 1);
        },
        ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace taskd
