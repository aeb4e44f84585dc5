#pragma once

#include "api/services.hpp"
#include "auth/access_database.hpp"

#include <string>

#include <nlohmann/json_fwd.hpp>

namespace taskd::api {

/// All tasks that the caller may see, the mgr's among ours, as `list_text`. Never waits: what is not known of the mgr
/// is not there.
/// @param name_glob  Empty: of every name.
/// @source  dashboard-contract.md 2
std::string all_tasks_text(const Services& services, const auth::User& caller, const std::string& name_glob,
                           const nlohmann::json& more);

}  // namespace taskd::api
