#include "rbd/mirroring_arguments.hpp"

#include <string_view>

#include <taskd/error.hpp>

namespace taskd::rbd {

std::optional<std::string> decode_mirror_mode(const Arguments& fields) {
    auto mode = fields.optional_text("mirror_mode");
    if (!mode || mode->empty()) return std::nullopt;
    if (*mode != "journal" && *mode != "snapshot")
        throw BadRequest("mirror_mode", "expected \"journal\" or \"snapshot\"");
    return mode;
}

void check_schedule_interval(const Arguments& fields) {
    const auto interval = fields.optional_text("schedule_interval").value_or("");
    if (interval.empty()) return;
    const auto digits = interval.find_first_not_of("0123456789");
    const bool is_valid = digits != 0 && digits != std::string::npos && digits + 1 == interval.size() &&
                          std::string_view("mhd").find(interval[digits]) != std::string_view::npos;
    if (!is_valid) throw BadRequest("schedule_interval", "expected a number and m, h or d: \"30m\"");
    throw BadRequest("schedule_interval",
                     "not supported yet; add the schedule with `rbd mirror snapshot schedule add`");
}

}  // namespace taskd::rbd
