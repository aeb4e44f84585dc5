#include "ceph/command_output.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <vector>

#include <nlohmann/json.hpp>

namespace taskd::ceph {
namespace {

constexpr std::size_t deepest = 200;  // json::dump recurses: its depth must not be the sender's choice

bool is_json_blank(char c) noexcept {
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/// Length of a not-a-number word at the start of `text`, 0 when there is none.
std::size_t non_number_length(std::string_view text) noexcept {
    constexpr std::string_view firsts = "-+iInN";
    if (text.empty() || firsts.find(text[0]) == std::string_view::npos) return 0;
    const std::size_t sign = text[0] == '-' || text[0] == '+' ? 1 : 0;
    constexpr std::array<std::string_view, 3> words{"infinity", "inf", "nan"};
    for (const auto word : words) {
        const auto candidate = text.substr(sign, word.size());
        const bool same = std::equal(candidate.begin(), candidate.end(), word.begin(), word.end(),
                                     [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; });
        const std::size_t end = sign + word.size();
        if (same && (end >= text.size() || !std::isalnum(static_cast<unsigned char>(text[end])))) return end;
    }
    return 0;
}

/// One pass over the text: replaces not-a-numbers outside of strings and finds where top-level values begin.
struct Scan {
    std::string text;
    std::vector<std::size_t> starts;  ///< Offsets in `text` of top-level objects and arrays.
    bool only_containers = true;      ///< Nothing but blanks between them.
    bool too_deep = false;
};

Scan scan(std::string_view raw) {
    Scan found;
    found.text.reserve(raw.size());
    std::size_t depth = 0;
    bool in_string = false;
    for (std::size_t at = 0; at < raw.size(); ++at) {
        const char c = raw[at];
        if (in_string) {
            found.text += c;
            if (c == '\\' && at + 1 < raw.size()) found.text += raw[++at];
            if (c == '"') in_string = false;
            continue;
        }
        if (const std::size_t length = non_number_length(raw.substr(at)); length > 0) {
            found.text += "null";
            at += length - 1;
            if (depth == 0) found.only_containers = false;
            continue;
        }
        const bool opens = c == '{' || c == '[';
        if (opens && depth == 0) found.starts.push_back(found.text.size());
        if (depth == 0 && !opens && !is_json_blank(c)) found.only_containers = false;
        if (opens && ++depth > deepest) found.too_deep = true;
        if ((c == '}' || c == ']') && depth > 0) --depth;
        if (c == '"') in_string = true;
        found.text += c;
    }
    return found;
}

}  // namespace

std::string_view cut_utf8(std::string_view text, std::size_t most) noexcept {
    if (text.size() <= most) return text;
    while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0U) == 0x80U) --most;
    return text.substr(0, most);
}

std::optional<nlohmann::json> parse_output(std::string_view text, bool scalars) {
    const Scan found = scan(text);
    if (found.too_deep || (found.starts.empty() && !scalars)) return std::nullopt;
    auto whole = nlohmann::json::parse(found.text, nullptr, false);
    if (!whole.is_discarded()) {
        if (!scalars && !whole.is_structured()) return std::nullopt;
        return whole;
    }
    if (!found.only_containers || found.starts.size() < 2) return std::nullopt;
    auto several = nlohmann::json::array();
    for (std::size_t n = 0; n < found.starts.size(); ++n) {
        const auto end = n + 1 < found.starts.size() ? found.starts[n + 1] : found.text.size();
        const auto part = std::string_view(found.text).substr(found.starts[n], end - found.starts[n]);
        auto value = nlohmann::json::parse(part, nullptr, false);
        if (value.is_discarded()) return std::nullopt;
        several.push_back(std::move(value));
    }
    return several;
}

}  // namespace taskd::ceph
