#pragma once

#include "mgr/mgr_task.hpp"

#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace taskd::mgr {

/// The tasks that `ceph progress json` tells of. An event that cannot be read is left out.
/// @source  dashboard-contract.md 2.2
std::vector<MgrTask> tasks_of_progress(const nlohmann::json& answer);

}  // namespace taskd::mgr
