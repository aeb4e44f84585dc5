#include "core/release_memory.hpp"

#include <gtest/gtest.h>

namespace taskd {
namespace {

TEST(ReleaseMemory, LeavesNoRoomBehind) {
    std::string text(1'000'000, 'x');
    release_memory(text);

    EXPECT_TRUE(text.empty());
    EXPECT_EQ(text.capacity(), std::string().capacity());
}

}  // namespace
}  // namespace taskd
