#include "worker/privileges.hpp"

#include <array>
#include <cstdint>

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <unistd.h>

namespace taskd::worker {
namespace {

constexpr std::uint32_t kept = 1U << CAP_DAC_OVERRIDE | 1U << CAP_DAC_READ_SEARCH;

constexpr bool is_kept(int capability) noexcept {
    return capability == CAP_DAC_OVERRIDE || capability == CAP_DAC_READ_SEARCH;
}

}  // namespace

void give_up_privileges() noexcept {
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    // The kernel may know more of them than this was compiled with: it says where they end.
    for (int capability = 0; ::prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; ++capability)
        if (!is_kept(capability)) ::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
    ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> sets{};
    if (::syscall(SYS_capget, &header, sets.data()) != 0) return;
    for (std::size_t part = 0; part < sets.size(); ++part) {
        const auto mask = part == 0 ? kept : 0U;
        sets[part] = {sets[part].effective & mask, sets[part].permitted & mask, 0};
    }
    ::syscall(SYS_capset, &header, sets.data());
}

}  // namespace taskd::worker
