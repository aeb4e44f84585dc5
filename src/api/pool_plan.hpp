#pragma once

#include "ceph/command_plan_executor.hpp"

#include <string>

#include <nlohmann/json_fwd.hpp>

namespace taskd::api {

/// The monitors' commands for a change of a pool, from the fields of a request as the dashboard has them. All fields
/// are checked before the first command: one that the monitors would not know leaves no half-made pool.
///
/// `configuration` (librbd's options of a pool) is refused: it is no monitor's.
/// @throws BadRequest naming the field
/// @source Ceph 16.2.15: exchanges with its dashboard (tests/conformance, `pool.*`), `ceph osd pool -h`

/// Fields: pool, pg_num, pool_type, and if wanted erasure_code_profile, rule_name, and those of `plan_pool_edit`.
ceph::CommandPlan plan_pool_create(const nlohmann::json& arguments);

/// Fields, none of which is required: application_metadata (all applications that the pool is to have), flags
/// (["ec_overwrites"]), quota_max_bytes, quota_max_objects, pool (its new name, given last), and any variable of
/// `ceph osd pool set`. `yes_i_really_mean_it` goes with the variables.
ceph::CommandPlan plan_pool_edit(const std::string& pool, const nlohmann::json& arguments);

ceph::CommandPlan plan_pool_delete(const std::string& pool);

}  // namespace taskd::api
