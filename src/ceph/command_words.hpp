#pragma once

#include "ceph/command_table.hpp"

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace taskd::ceph {

/// Makes a command of a command line's words, as Ceph's own CLI does: `osd pool create images 32` becomes
/// `{"prefix": "osd pool create", "pool": "images", "pg_num": 32}`. Values come in the order of the signature, or
/// named:
/// `--pool_type erasure`, `--pool-type=erasure`; a boolean may be named without a value.
/// @throws BadRequest ("words") when no command begins so, when words are left over, or when an argument does not fit.
nlohmann::json command_from_words(const std::vector<std::string>& words, const CommandTable& table);

}  // namespace taskd::ceph
