#pragma once

#include <string>

namespace taskd {

/// Whether a task's name is meant by a shell glob: the whole name, case counts, `*` crosses `/`, a backslash is a
/// letter. An empty glob means all.
/// @thread  Any.
/// @source  the dashboard's fnmatch, dashboard-contract.md 2.1
bool matches_glob(const std::string& glob, const std::string& name);

}  // namespace taskd
