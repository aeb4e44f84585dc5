#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace taskd {

/// One text for all metadata that compare equal as JSON, different texts for all others: the key of a task's identity.
/// Key order is irrelevant, nesting allowed; 1 equals 1.0 and neither equals "1" or true, nor null an absent key.
/// The text is for comparing, not for reading.
/// @throws BadRequest ("metadata") when it is neither object nor null, or not valid UTF-8.
std::string identity_of(const nlohmann::json& metadata);

/// A text as JSON allows it: every invalid UTF-8 sequence replaced by U+FFFD.
std::string valid_utf8(std::string_view text);
bool is_valid_utf8(std::string_view text) noexcept;

}  // namespace taskd
