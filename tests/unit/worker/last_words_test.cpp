#include "worker/last_words.hpp"

#include <csignal>
#include <string>

#include <gmock/gmock.h>

namespace taskd::worker {
namespace {

using ::testing::HasSubstr;

std::string summary_of(std::string_view text) {
    LastWords words;
    words.add(text);
    return words.summary();
}

TEST(DescribeEnd, TellsTheSignalByNumberAndName) {
    EXPECT_EQ(describe_end(CLD_KILLED, SIGKILL), "was killed by signal 9 (Killed)");
    EXPECT_EQ(describe_end(CLD_DUMPED, SIGABRT), "was killed by signal 6 (Aborted)");
}

TEST(DescribeEnd, TellsTheExitCode) {
    EXPECT_EQ(describe_end(CLD_EXITED, 3), "exited with code 3");
}

TEST(LastWords, OfASilentProcessAreNothing) {
    EXPECT_EQ(summary_of(""), "");
    EXPECT_EQ(summary_of(" \n\t\n"), "");
}

TEST(LastWords, AreTheLastLineThatSaysAnything) {
    EXPECT_EQ(summary_of("first\nlast\n\n"), ": last");
    EXPECT_EQ(summary_of("only"), ": only");
}

TEST(LastWords, AreTheFailedAssertRatherThanItsStackTrace) {
    EXPECT_EQ(summary_of("./src/librbd/operation/TrimRequest.cc: In function 'void f()' thread 7f\n"
                         "./src/librbd/operation/TrimRequest.cc: 182: FAILED ceph_assert(can_affect_io())\n"
                         " ceph version 16.2.15\n 1: (ceph::__ceph_assert_fail()+0x12)\n"),
              ": ./src/librbd/operation/TrimRequest.cc: 182: FAILED ceph_assert(can_affect_io())");
    EXPECT_EQ(summary_of("terminate called after throwing an instance of 'std::bad_alloc'\nmore\n"),
              ": terminate called after throwing an instance of 'std::bad_alloc'");
}

TEST(LastWords, AreFoundInPieces) {
    LastWords words;
    words.add("x.cc: 1: FAILED ceph_");
    words.add("assert(y)\nlast");

    EXPECT_EQ(words.summary(), ": x.cc: 1: FAILED ceph_assert(y)");
}

TEST(LastWords, OfATalkativeProcessAreItsEnd) {
    LastWords words;
    for (int n = 0; n < 5'000; ++n) words.add("noise " + std::to_string(n) + "\n");
    words.add("the end\n");

    EXPECT_EQ(words.summary(), ": the end");
}

TEST(LastWords, AreShortAndValidUtf8) {
    EXPECT_EQ(summary_of(std::string(10'000, 'x')).size(), 502U);
    EXPECT_THAT(summary_of("bad \xff byte"), HasSubstr("bad \xEF\xBF\xBD byte"));
}

}  // namespace
}  // namespace taskd::worker
