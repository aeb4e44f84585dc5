#pragma once

#include "ceph/cluster.hpp"
#include "rbd/arguments.hpp"
#include "rbd/operation.hpp"

#include <string>

namespace taskd::rbd {

/// The pool whose mirroring is asked about or changed.
/// @throws BadRequest
std::string decode_mirrored_pool(const Arguments& fields);

/// Opened as for every change of its mirroring.
/// @throws Error  of component "rbd-mirroring" when there is none, as the dashboard says it
/// @thread Any. Blocks.
ceph::Ioctx open_mirrored_pool(OperationContext& context, const nlohmann::json& arguments);

/// Of what touches no image.
Touches touches_of_mirroring(const nlohmann::json& arguments);

}  // namespace taskd::rbd
