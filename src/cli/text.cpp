#include "cli/render.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>

// How text is measured and cut, and how numbers are written.

namespace taskd::cli {
namespace {

struct CodePoint {
    char32_t value = 0;
    std::size_t bytes = 1;
    bool valid = false;
};

/// Decodes the first code point of a text that is not empty; an invalid one is one byte long.
CodePoint decode(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char lead = byte(0);
    if (lead < 0x80) return {lead, 1, true};
    const std::size_t length = lead >= 0xF0 && lead < 0xF5   ? 4
                               : lead >= 0xE0 && lead < 0xF0 ? 3
                               : lead >= 0xC2 && lead < 0xE0 ? 2
                                                             : 0;
    if (length == 0 || text.size() < length) return {};
    char32_t value = lead & (0xFFU >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xC0) != 0x80) return {};
        value = (value << 6) | (byte(i) & 0x3FU);
    }
    constexpr std::array<char32_t, 5> smallest{0, 0, 0x80, 0x800, 0x10000};
    if (value < smallest[length] || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return {};
    return {value, length, true};
}

struct Range {
    char32_t first, last;
};

// Enough of Unicode's tables for names of images; a rare character that is missing shifts a column, nothing worse.
constexpr std::array<Range, 5> zero_width{
    {{0x300, 0x36F}, {0x200B, 0x200F}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}}};
constexpr std::array<Range, 8> double_width{{{0x1100, 0x115F},
                                             {0x2E80, 0xA4CF},
                                             {0xAC00, 0xD7A3},
                                             {0xF900, 0xFAFF},
                                             {0xFE30, 0xFE6F},
                                             {0xFF00, 0xFF60},
                                             {0x1F300, 0x1FAFF},
                                             {0x20000, 0x3FFFD}}};

std::size_t width_of(char32_t value) {
    const auto within = [value](Range range) { return value >= range.first && value <= range.last; };
    if (std::ranges::any_of(zero_width, within)) return 0;
    return std::ranges::any_of(double_width, within) ? 2 : 1;
}

/// C0, DEL, C1 and the characters that turn the direction of writing.
bool steers_terminal(char32_t value) {
    return value < 0x20 || (value >= 0x7F && value < 0xA0) || (value >= 0x202A && value <= 0x202E) ||
           (value >= 0x2066 && value <= 0x2069) || value == 0x2028 || value == 0x2029;
}

}  // namespace

std::string printable(std::string_view text) {
    std::string result;
    result.reserve(text.size());
    while (!text.empty()) {
        const CodePoint point = decode(text);
        if (!point.valid || steers_terminal(point.value)) {
            result += '?';
        } else {
            result += text.substr(0, point.bytes);
        }
        text.remove_prefix(point.bytes);
    }
    return result;
}

std::size_t display_width(std::string_view text) {
    std::size_t width = 0;
    while (!text.empty()) {
        const CodePoint point = decode(text);
        width += point.valid ? width_of(point.value) : 1;
        text.remove_prefix(point.bytes);
    }
    return width;
}

std::string truncated(std::string_view text, std::size_t columns) {
    if (display_width(text) <= columns) return std::string(text);
    if (columns == 0) return {};
    std::string result;
    std::size_t width = 0;
    while (!text.empty()) {
        const CodePoint point = decode(text);
        width += point.valid ? width_of(point.value) : 1;
        if (width > columns - 1) break;
        result += text.substr(0, point.bytes);
        text.remove_prefix(point.bytes);
    }
    return result + "…";
}

std::string format_duration(double seconds) {
    std::array<char, 64> text{};
    if (!(seconds > 0)) seconds = 0;
    seconds = std::min(seconds, 1e9);
    if (seconds < 9.95) {
        std::snprintf(text.data(), text.size(), "%.1f s", seconds);
        return text.data();
    }
    const auto whole = static_cast<long>(std::llround(seconds));
    if (whole < 60) {
        std::snprintf(text.data(), text.size(), "%ld s", whole);
    } else if (whole < 3600) {
        std::snprintf(text.data(), text.size(), "%ld:%02ld", whole / 60, whole % 60);
    } else if (whole < 86400) {
        std::snprintf(text.data(), text.size(), "%ld:%02ld:%02ld", whole / 3600, whole / 60 % 60, whole % 60);
    } else {
        std::snprintf(text.data(), text.size(), "%ld d %02ld:%02ld", whole / 86400, whole / 3600 % 24, whole / 60 % 60);
    }
    return text.data();
}

std::string bar(int percent, std::size_t columns) {
    columns = std::max<std::size_t>(columns, 3);
    const auto share = static_cast<std::size_t>(std::clamp(percent, 0, 100));
    const std::size_t inside = columns - 2;
    const std::size_t filled = inside * share / 100;
    std::string text = "[" + std::string(filled, '=');
    if (filled < inside) text += share > 0 ? '>' : ' ';
    text.resize(columns - 1, ' ');
    return text + "]";
}

void EtaEstimator::observe(double at_seconds, int percent) {
    if (!first_at_ || percent < last_percent_) {  // a task that is started again begins at zero
        first_at_ = at_seconds;
        first_percent_ = percent;
        moved_at_ = at_seconds;
    } else if (percent > last_percent_) {
        moved_at_ = at_seconds;
    }
    last_at_ = at_seconds;
    last_percent_ = percent;
}

std::optional<double> EtaEstimator::remaining() const {
    if (!first_at_ || last_percent_ <= first_percent_ || moved_at_ - *first_at_ < 2) return std::nullopt;
    const double seconds_a_percent = (moved_at_ - *first_at_) / (last_percent_ - first_percent_);
    return std::max(0.0, seconds_a_percent * (100 - last_percent_) - (last_at_ - moved_at_));
}

}  // namespace taskd::cli
