#include "rbd/mirroring_arguments.hpp"

#include <charconv>
#include <cstdint>
#include <system_error>

#include <taskd/error.hpp>

namespace taskd::rbd {
namespace {

constexpr std::uint64_t most_minutes = std::uint64_t{10} * 365 * 24 * 60;

/// 0 for what is no unit.
std::uint64_t minutes_of(char unit) {
    switch (unit) {
        case 'm':
            return 1;
        case 'h':
            return 60;
        case 'd':
            return std::uint64_t{24} * 60;
        default:
            return 0;
    }
}

}  // namespace

std::optional<std::string> decode_mirror_mode(const Arguments& fields) {
    auto mode = fields.optional_text("mirror_mode");
    if (!mode || mode->empty()) return std::nullopt;
    if (*mode != "journal" && *mode != "snapshot")
        throw BadRequest("mirror_mode", "expected \"journal\" or \"snapshot\"");
    return mode;
}

std::optional<std::string> decode_schedule_interval(const Arguments& fields) {
    const auto text = fields.optional_text("schedule_interval").value_or("");
    if (text.empty()) return std::nullopt;
    unsigned number = 0;
    const char* const end = text.data() + text.size();
    const auto [unit, error] = std::from_chars(text.data(), end, number);
    const bool is_whole = error == std::errc() && unit + 1 == end;
    const std::uint64_t minutes = is_whole ? std::uint64_t{number} * minutes_of(*unit) : 0;
    // A schedule of no minutes makes the mgr's module divide by zero whenever it loads its schedules; one of thousands
    // of years is more than its clock can tell.
    if (minutes == 0 || minutes > most_minutes)
        throw BadRequest("schedule_interval", R"(expected a number from 1 on and m, h or d, at most ten years: "30m")");
    return std::to_string(number) + *unit;
}

}  // namespace taskd::rbd
