#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace taskd::ceph {

/// Bytes of a command's output that are kept with its task: multi-megabyte answers in long lists are how managers die.
inline constexpr std::size_t default_output_cap = 64UL * 1024;

/// The longest prefix of at most `most` bytes that does not cut a character in two.
std::string_view cut_utf8(std::string_view text, std::size_t most) noexcept;

/// What a daemon meant as JSON, read tolerantly.
///
/// nan, -nan, inf, infinity (any case, either sign) become null. Several objects or arrays one after the other become
/// one array of them. Nothing when the text is no JSON, when it is nested more than 200 levels deep, and when it is a
/// bare scalar unless `scalars` is set: the plain output "1" of `osd ls` is text, that of `config get` with format json
/// is a value.
/// @param text  Valid UTF-8.
std::optional<nlohmann::json> parse_output(std::string_view text, bool scalars);

}  // namespace taskd::ceph
