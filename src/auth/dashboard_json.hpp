#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

namespace taskd::auth {

/// JSON as `ceph dashboard` prints it: `{"name": null, "roles": ["read-only"]}`, ASCII only, members in their order.
std::string dashboard_json(const nlohmann::ordered_json& value);

}  // namespace taskd::auth
