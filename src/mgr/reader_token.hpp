#pragma once

#include "auth/access_feed.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace taskd::mgr {

/// Of this user the dashboard is asked for its tasks, where there is such a one.
inline constexpr const char* reader_name = "ceph-taskd";

/// A token for a look at the dashboard's tasks, which any user may see: for the user `ceph-taskd` where the dashboard
/// has one, else for the one who may do the least. It is good for half a minute, as it goes over the network.
/// @param now  Seconds since the epoch.
/// @returns  None when these are not the dashboard's users, or none of them can log in.
std::optional<std::string> reader_token(const auth::AccessState& state, std::int64_t now);

}  // namespace taskd::mgr
