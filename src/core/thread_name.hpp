#pragma once

#include <string>

namespace taskd {

/// Names the calling thread for ps, gdb and logs; the kernel keeps 15 characters.
void name_this_thread(const std::string& name) noexcept;

}  // namespace taskd
