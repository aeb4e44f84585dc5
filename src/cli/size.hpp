#pragma once

#include <cstdint>
#include <string_view>

namespace taskd::cli {

/// Reads a size as rbd does: "10G", "512M", "4096B", and also "10g" and "10GiB". Always powers of 1024.
///
/// @param option     Named in the error.
/// @param bare_unit  What a number without suffix counts: rbd takes MiB for --size and bytes for all others.
/// @returns  Bytes, at most 2^63 - 1.
/// @throws   BadRequest (no number, a fraction, unknown suffix, too large)
std::uint64_t parse_size(std::string_view option, std::string_view text, std::uint64_t bare_unit);

inline constexpr std::uint64_t byte_unit = 1;
inline constexpr std::uint64_t mebibyte_unit = 1ULL << 20;

}  // namespace taskd::cli
