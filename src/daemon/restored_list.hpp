#pragma once

#include "ceph/task_record.hpp"

#include <vector>

#include <taskd/task_manager.hpp>

namespace taskd::daemon {

/// Of the finished tasks of earlier lives those that the list still has, in their order. Their age is told by the wall
/// clock, the only one that outlived the program. What cannot be read takes nobody's place.
/// @param kept  In the order of their end.
std::vector<ceph::FinishedRecord> still_listed(const std::vector<ceph::KeptTask>& kept, const Retention& retention,
                                               WallTime now);

}  // namespace taskd::daemon
