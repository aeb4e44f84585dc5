#pragma once

#include <nlohmann/json_fwd.hpp>

namespace taskd::ceph {

/// A command as it may be listed and logged: what looks like a secret is masked: keys, passwords, tokens, and the
/// values that `config-key set` and `config set` store.
/// @source  P72 of the field faults
nlohmann::json without_secrets(nlohmann::json command);

}  // namespace taskd::ceph
