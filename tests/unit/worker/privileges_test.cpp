#include "worker/privileges.hpp"

#include <array>
#include <cstdint>
#include <cstdlib>

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <gtest/gtest.h>
#include <unistd.h>

namespace taskd::worker {
namespace {

/// Whether this thread has, may take or may pass on any but the two to reach files.
bool has_capabilities() {
    constexpr std::uint32_t files = 1U << CAP_DAC_OVERRIDE | 1U << CAP_DAC_READ_SEARCH;
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> sets{};
    if (::syscall(SYS_capget, &header, sets.data()) != 0) return true;
    const auto all = [](const auto& set) { return set.effective | set.permitted | set.inheritable; };
    return (all(sets[0]) & ~files) != 0 || all(sets[1]) != 0;
}

// In a process of its own, which changes for good.
TEST(Privileges, NoCapabilityIsLeftThatOpensMoreThanFilesAndNoneCanBeHadAgain) {
    EXPECT_EXIT(
        {
            give_up_privileges();
            const bool can_have_more = ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1;
            const bool is_bounded = ::geteuid() != 0 || ::prctl(PR_CAPBSET_READ, CAP_SYS_ADMIN, 0, 0, 0) == 0;
            std::_Exit(!has_capabilities() && !can_have_more && is_bounded ? 0 : 1);
        },
        ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace taskd::worker
