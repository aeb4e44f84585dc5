#pragma once

#include "core/whole_number.hpp"

#include <algorithm>
#include <cstdint>

/// Numbers of a task as a daemon tells them, which may be any.
namespace taskd::cli {

/// 0 where there is none from 1 on.
inline std::int64_t count_member(const nlohmann::json& task, const char* key) {
    const auto found = task.is_object() ? task.find(key) : task.end();
    if (!task.is_object() || found == task.end()) return 0;
    return std::max<std::int64_t>(0, whole_number(*found).value_or(0));
}

/// Percent, 0 to 100.
inline int progress_of(const nlohmann::json& task) {
    return static_cast<int>(std::min<std::int64_t>(100, count_member(task, "progress")));
}

}  // namespace taskd::cli
