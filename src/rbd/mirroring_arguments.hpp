#pragma once

#include "rbd/arguments.hpp"

#include <optional>
#include <string>

namespace taskd::rbd {

/// `mirror_mode`: "journal" or "snapshot"; null and empty mean that none is given.
/// @throws BadRequest
std::optional<std::string> decode_mirror_mode(const Arguments& fields);

/// `schedule_interval`: only none so far.
/// @throws BadRequest
void check_schedule_interval(const Arguments& fields);

}  // namespace taskd::rbd
