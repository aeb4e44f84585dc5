#pragma once

#include "rbd/arguments.hpp"

#include <optional>
#include <string>

namespace taskd::rbd {

/// `mirror_mode`: "journal" or "snapshot"; null and empty mean that none is given.
/// @throws BadRequest
std::optional<std::string> decode_mirror_mode(const Arguments& fields);

/// `schedule_interval`: a number from 1 on and `m`, `h` or `d`, at most ten years; null and empty mean that none is
/// given. In the mgr's words: "90m", without leading zeros.
/// @throws BadRequest
std::optional<std::string> decode_schedule_interval(const Arguments& fields);

}  // namespace taskd::rbd
