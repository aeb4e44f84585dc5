#include "http/uri.hpp"

#include "core/utf8.hpp"

#include <algorithm>

namespace taskd::http {

namespace {

int hex_value(char digit) noexcept {
    if (digit >= '0' && digit <= '9') return digit - '0';
    if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
    return -1;
}

/// The byte of the escape that starts at `at`, -1 when none does.
int escape_at(std::string_view text, std::size_t at) noexcept {
    if (at + 2 >= text.size()) return -1;
    const int high = hex_value(text[at + 1]);
    const int low = hex_value(text[at + 2]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

enum class BadEscape { keep, fail };
enum class Plus { literal, space };

std::optional<std::string> decode(std::string_view text, BadEscape on_bad_escape, Plus plus) {
    std::string decoded;
    decoded.reserve(text.size());
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] == '%') {
            if (const int byte = escape_at(text, at); byte >= 0) {
                decoded.push_back(static_cast<char>(byte));
                at += 2;
                continue;
            }
            if (on_bad_escape == BadEscape::fail) return std::nullopt;
        }
        decoded.push_back(text[at] == '+' && plus == Plus::space ? ' ' : text[at]);
    }
    return decoded;
}

bool is_text(std::string_view decoded) noexcept {
    return decoded.find('\0') == std::string_view::npos && is_valid_utf8(decoded);
}

}  // namespace

std::optional<std::string> percent_decode(std::string_view text) {
    return decode(text, BadEscape::fail, Plus::literal);
}

std::string percent_decode_leniently(std::string_view text) {
    return *decode(text, BadEscape::keep, Plus::literal);
}

std::string decode_all_but_slashes(std::string_view path) {
    std::string decoded;
    for (;;) {
        const auto slash = std::min(path.find("%2F"), path.find("%2f"));
        decoded += percent_decode_leniently(path.substr(0, slash));
        if (slash == std::string_view::npos) return decoded;
        decoded += "%2F";
        path.remove_prefix(slash + 3);
    }
}

std::string percent_encode(std::string_view text) {
    constexpr std::string_view unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string encoded;
    encoded.reserve(text.size());
    for (const char character : text) {
        if (unreserved.find(character) != std::string_view::npos) {
            encoded.push_back(character);
            continue;
        }
        const auto byte = static_cast<unsigned char>(character);
        encoded.append({'%', digits[byte >> 4], digits[byte & 15]});
    }
    return encoded;
}

std::string decode_path_parameter(std::string_view segment) {
    if (segment.find('%') == std::string_view::npos) return std::string(segment);
    auto once = percent_decode_leniently(segment);
    if (once.find('%') == std::string::npos) return once;
    auto twice = percent_decode_leniently(once);
    return is_text(twice) ? twice : once;
}

bool is_well_formed_path(std::string_view path) {
    const bool is_plain = std::none_of(path.begin(), path.end(), [](char character) {
        return character == '%' || static_cast<signed char>(character) <= 0;
    });
    if (is_plain) return true;
    const auto decoded = percent_decode(path);
    return decoded && is_text(*decoded);
}

void normalise_path(std::string_view target, std::string& path) {
    target = target.substr(0, target.find_first_of("?#"));
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (!target.starts_with(scheme)) continue;
        const auto slash = target.find('/', scheme.size());
        target = slash == std::string_view::npos ? "/" : target.substr(slash);
    }
    path.clear();
    for (const char character : target)
        if (character != '/' || !path.ends_with('/')) path.push_back(character);
    if (path.size() > 1 && path.ends_with('/')) path.pop_back();
}

std::string_view query_of(std::string_view target) noexcept {
    const auto mark = target.find('?');
    return mark == std::string_view::npos ? std::string_view{} : target.substr(mark + 1);
}

std::optional<std::vector<NameValue>> parse_query(std::string_view query) {
    std::vector<NameValue> parameters;
    while (!query.empty()) {
        const auto piece = query.substr(0, query.find('&'));
        query.remove_prefix(std::min(query.size(), piece.size() + 1));
        if (piece.empty()) continue;
        const auto equals = piece.find('=');
        const auto raw_value = equals == std::string_view::npos ? std::string_view{} : piece.substr(equals + 1);
        auto name = *decode(piece.substr(0, equals), BadEscape::keep, Plus::space);
        auto value = *decode(raw_value, BadEscape::keep, Plus::space);
        if (!is_text(name) || !is_text(value)) return std::nullopt;
        parameters.emplace_back(std::move(name), std::move(value));
    }
    return parameters;
}

}  // namespace taskd::http
