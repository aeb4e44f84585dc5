#include "daemon/file_limit.hpp"

#include <sys/resource.h>

#include <gtest/gtest.h>

namespace taskd::daemon {
namespace {

/// The process's limit of open files, put back at the end.
class FileLimit : public ::testing::Test {
  protected:
    FileLimit() { ::getrlimit(RLIMIT_NOFILE, &before_); }
    ~FileLimit() override { ::setrlimit(RLIMIT_NOFILE, &before_); }

    void set_soft(rlim_t files) const {
        const rlimit limit{files, before_.rlim_max};
        ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
    }

    rlimit before_{};
};

TEST_F(FileLimit, IsRaisedAsFarAsItMayBe) {
    set_soft(512);

    raise_file_limit();

    rlimit after{};
    ::getrlimit(RLIMIT_NOFILE, &after);
    EXPECT_EQ(after.rlim_cur, before_.rlim_max);
}

TEST_F(FileLimit, LeavesFilesToTheDaemonItself) {
    set_soft(1024);
    EXPECT_EQ(within_file_limit(100), 100U);
    EXPECT_EQ(within_file_limit(10'000), 524U);

    set_soft(256);
    EXPECT_EQ(within_file_limit(10'000), 128U) << "half of few";
}

}  // namespace
}  // namespace taskd::daemon
