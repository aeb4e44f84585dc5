#pragma once

#include "mgr/mgr_task.hpp"

#include <string_view>
#include <vector>

namespace taskd::mgr {

/// The tasks in an answer of the dashboard's `GET /api/task`, those of the progress module's included, as far as they
/// are not named `progress/…`. Their times are what the mgr's clock on the wall said, whatever its time zone is: they
/// are stamped as UTC and are not (see MgrClock). An entry that cannot be read is left out.
/// @throws Error  it is no such list
/// @source  dashboard-contract.md 2.1, 6.1
std::vector<MgrTask> parse_dashboard_list(std::string_view text);

/// Whether both are one task: the same name, metadata and time of begin.
/// @param ahead  What the local time of `local` is ahead of UTC.
bool is_same_task(const MgrTask& local, const MgrTask& event, WallTime::duration ahead);

}  // namespace taskd::mgr
