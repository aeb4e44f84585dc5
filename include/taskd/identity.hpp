#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

namespace taskd {

/// One text for all metadata that compare equal as JSON, different texts for all others: the key of a task's identity.
/// Key order is irrelevant, nesting allowed; 1 equals 1.0 and neither equals "1" or true, nor null an absent key.
/// The text is for comparing, not for reading.
/// @throws BadRequest ("metadata") when it is neither object nor null, not valid UTF-8, or nested too deep.
/// @thread  Any.
std::string identity_of(const nlohmann::json& metadata);

}  // namespace taskd
