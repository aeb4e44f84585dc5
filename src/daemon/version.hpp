#pragma once

#include <string_view>

namespace taskd::daemon {

/// Of the project, from CMakeLists.txt.
inline constexpr std::string_view version = TASKD_VERSION;

}  // namespace taskd::daemon
