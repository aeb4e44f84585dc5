#include "rbd/image_spec.hpp"

#include <algorithm>
#include <cstdint>
#include <tuple>

#include <taskd/error.hpp>

namespace taskd::rbd {
namespace {

constexpr std::string_view replacement_character = "\xEF\xBF\xBD";

/// The length of the UTF-8 sequence that `text` begins with, 0 when it begins with none.
/// @source Unicode 15, table 3-7: no overlong forms, no surrogates, nothing above U+10FFFF.
std::size_t sequence_length(std::string_view text) noexcept {
    const auto byte = [text](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
    const auto follows = [&](std::size_t i, std::uint8_t low = 0x80, std::uint8_t high = 0xBF) {
        return i < text.size() && byte(i) >= low && byte(i) <= high;
    };
    const std::uint8_t first = byte(0);
    if (first < 0x80) return 1;
    if (first >= 0xC2 && first <= 0xDF) return follows(1) ? 2 : 0;
    if (first >= 0xE0 && first <= 0xEF) {
        const bool second = follows(1, first == 0xE0 ? 0xA0 : 0x80, first == 0xED ? 0x9F : 0xBF);
        return second && follows(2) ? 3 : 0;
    }
    if (first >= 0xF0 && first <= 0xF4) {
        const bool second = follows(1, first == 0xF0 ? 0x90 : 0x80, first == 0xF4 ? 0x8F : 0xBF);
        return second && follows(2) && follows(3) ? 4 : 0;
    }
    return 0;
}

/// pool, namespace, last part.
std::tuple<std::string, std::string, std::string> split(std::string_view text, std::string_view field,
                                                        std::string_view form) {
    const auto refuse = [&] {
        throw BadRequest(field, "expected " + std::string(form) + ", got \"" + shown(text) + '"');
    };
    // librbd takes C strings: what follows a NUL would be ignored, and another image addressed.
    if (text.find('\0') != std::string_view::npos) refuse();
    const auto last = text.rfind('/');
    if (last == std::string_view::npos) refuse();
    const auto front = text.substr(0, last);
    const auto middle = front.rfind('/');
    const bool has_namespace = middle != std::string_view::npos;
    const auto pool = front.substr(0, middle);
    const auto ns = has_namespace ? front.substr(middle + 1) : std::string_view{};
    const auto name = text.substr(last + 1);
    if (pool.empty() || name.empty()) refuse();
    return {std::string(pool), std::string(ns), std::string(name)};
}

std::string join(const std::string& pool, const std::string& ns, const std::string& name) {
    // Else the pool's own slash would be taken for the one before a namespace, and another image addressed.
    const bool needs_ns = !ns.empty() || pool.find('/') != std::string::npos;
    return needs_ns ? pool + '/' + ns + '/' + name : pool + '/' + name;
}

}  // namespace

ImageSpec ImageSpec::parse(std::string_view text, std::string_view field) {
    auto [pool, ns, name] = split(text, field, "pool/image or pool/namespace/image");
    return {std::move(pool), std::move(ns), std::move(name)};
}

std::string ImageSpec::format() const {
    return join(pool, ns, name);
}

ImageIdSpec ImageIdSpec::parse(std::string_view text, std::string_view field) {
    auto [pool, ns, id] = split(text, field, "pool/id or pool/namespace/id");
    return {std::move(pool), std::move(ns), std::move(id)};
}

std::string ImageIdSpec::format() const {
    return join(pool, ns, id);
}

void check_new_name(std::string_view name, std::string_view field) {
    const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
    if (name.empty()) throw BadRequest(field, "must not be empty");
    if (name.find_first_of("/@") != std::string_view::npos) throw BadRequest(field, "must not contain '/' or '@'");
    if (std::any_of(name.begin(), name.end(), is_control))
        throw BadRequest(field, "must not contain control characters");
    if (!is_utf8(name)) throw BadRequest(field, "must be UTF-8");
}

bool is_utf8(std::string_view text) noexcept {
    while (!text.empty()) {
        const auto length = sequence_length(text);
        if (length == 0) return false;
        text.remove_prefix(length);
    }
    return true;
}

bool is_meant(std::string_view given, std::string_view name, std::string_view id) {
    return given == name || given == id || given == shown(name);
}

std::string shown(std::string_view text) {
    std::string result;
    result.reserve(text.size());
    while (!text.empty()) {
        const auto length = sequence_length(text);
        result += length > 0 ? text.substr(0, length) : replacement_character;
        text.remove_prefix(std::max<std::size_t>(length, 1));
    }
    return result;
}

}  // namespace taskd::rbd
