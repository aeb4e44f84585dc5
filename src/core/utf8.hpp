#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace taskd {

/// Whether `text` is UTF-8 as RFC 3629 has it: no surrogates, no overlong forms.
/// @thread  Any, as the others here.
bool is_valid_utf8(std::string_view text) noexcept;

/// A text as JSON allows it: every byte that is no part of valid UTF-8 replaced by U+FFFD.
std::string valid_utf8(std::string_view text);

/// The same for every text and key in `value`, so that serialising it cannot throw.
void make_valid_utf8(nlohmann::json& value);

}  // namespace taskd
