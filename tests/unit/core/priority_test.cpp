#include "core/priority.hpp"

#include <cstdlib>
#include <thread>

#include <gtest/gtest.h>

namespace taskd {
namespace {

// In a process of its own, which may not be able to go back.
TEST(Priority, OfAThreadIsThatOfTheThreadsThatItMakes) {
    EXPECT_EXIT(
        {
            const int wanted = nice_value() < 19 ? nice_value() + 1 : 19;
            const bool allowed = set_nice_value(wanted);
            int inherited = 0;
            std::thread([&] { inherited = nice_value(); }).join();
            std::_Exit(allowed && nice_value() == wanted && inherited == wanted ? 0 : 1);
        },
        ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace taskd
