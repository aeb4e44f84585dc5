#include "core/priority.hpp"

#include <sys/resource.h>

namespace taskd {

int nice_value() noexcept {
    return ::getpriority(PRIO_PROCESS, 0);
}

bool set_nice_value(int nice) noexcept {
    return ::setpriority(PRIO_PROCESS, 0, nice) == 0;
}

}  // namespace taskd
