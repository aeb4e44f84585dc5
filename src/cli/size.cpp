#include "cli/size.hpp"

#include <charconv>
#include <limits>
#include <string>

#include <taskd/error.hpp>

namespace taskd::cli {
namespace {

constexpr std::string_view suffixes = "BKMGTPE";

/// The factor of "G", "Gi", "GB" or "GiB" in either case; 0 when it is none of them.
std::uint64_t suffix_factor(std::string_view suffix) {
    const char letter = suffix[0] >= 'a' && suffix[0] <= 'z' ? static_cast<char>(suffix[0] - 'a' + 'A') : suffix[0];
    const std::size_t power = suffixes.find(letter);
    if (power == std::string_view::npos) return 0;
    const std::string_view rest = suffix.substr(1);
    const bool known = rest.empty() || (power > 0 && (rest == "i" || rest == "iB" || rest == "B" || rest == "b"));
    return known ? 1ULL << (10 * power) : 0;
}

}  // namespace

std::uint64_t parse_size(std::string_view option, std::string_view text, std::uint64_t bare_unit) {
    const auto refuse = [&](std::string_view problem) {
        throw BadRequest(option, "'" + std::string(text) + "' " + std::string(problem));
    };
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc::result_out_of_range) refuse("is too large");
    if (error != std::errc{}) refuse("is not a size such as 10G, 512M or 4096B");

    const std::string_view suffix = text.substr(static_cast<std::size_t>(end - text.data()));
    if (suffix.starts_with('.')) refuse("is a fraction: give a whole number in a smaller unit, such as 1536M for 1.5G");
    const std::uint64_t factor = suffix.empty() ? bare_unit : suffix_factor(suffix);
    if (factor == 0) refuse("has an unknown unit: use B, K, M, G, T or P");
    if (number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) / factor) refuse("is too large");
    return number * factor;
}

}  // namespace taskd::cli
