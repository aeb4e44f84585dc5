#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>

#include <nlohmann/json.hpp>

namespace taskd {

/// The whole number that `value` is, if it is one that fits. For JSON that others wrote: `get<std::int64_t>()` takes
/// any number, and what becomes of one like 2e84 is undefined.
/// @thread  Any.
inline std::optional<std::int64_t> whole_number(const nlohmann::json& value) noexcept {
    constexpr double end = 9223372036854775808.0;  // of std::int64_t, and the first double beyond it
    using Limits = std::numeric_limits<std::int64_t>;
    if (const auto* number = value.get_ptr<const nlohmann::json::number_unsigned_t*>())
        return *number <= static_cast<std::uint64_t>(Limits::max()) ? std::optional(static_cast<std::int64_t>(*number))
                                                                    : std::nullopt;
    if (const auto* number = value.get_ptr<const nlohmann::json::number_integer_t*>()) return *number;
    const auto* number = value.get_ptr<const nlohmann::json::number_float_t*>();
    if (number == nullptr || !(*number >= -end && *number < end) || *number != std::trunc(*number)) return std::nullopt;
    return static_cast<std::int64_t>(*number);
}

}  // namespace taskd
