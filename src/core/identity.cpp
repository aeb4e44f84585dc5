#include "core/identity.hpp"

#include <charconv>
#include <cmath>
#include <cstdint>

#include <nlohmann/json.hpp>
#include <taskd/error.hpp>

namespace taskd {
namespace {

/// The length of the valid UTF-8 sequence at `text[at]`, 0 when there is none (RFC 3629: no surrogates, no overlong
/// form).
std::size_t sequence_length(std::string_view text, std::size_t at) noexcept {
    const auto byte = [&](std::size_t n) {
        return at + n < text.size() ? static_cast<unsigned char>(text[at + n]) : 0U;
    };
    const auto continues = [&](std::size_t n) { return (byte(n) & 0xC0U) == 0x80U; };
    const unsigned first = byte(0);
    if (first < 0x80) return 1;
    if (first >= 0xC2 && first <= 0xDF) return continues(1) ? 2 : 0;
    if (first >= 0xE0 && first <= 0xEF) {
        const bool in_range = !(first == 0xE0 && byte(1) < 0xA0) && !(first == 0xED && byte(1) > 0x9F);
        return in_range && continues(1) && continues(2) ? 3 : 0;
    }
    if (first >= 0xF0 && first <= 0xF4) {
        const bool in_range = !(first == 0xF0 && byte(1) < 0x90) && !(first == 0xF4 && byte(1) > 0x8F);
        return in_range && continues(1) && continues(2) && continues(3) ? 4 : 0;
    }
    return 0;
}

void append_text(std::string& key, const std::string& text) {
    if (!is_valid_utf8(text)) throw BadRequest("metadata", "not valid UTF-8");
    // The length in front keeps a text from being mistaken for what follows it.
    key += std::to_string(text.size());
    key += ':';
    key += text;
}

void append_number(std::string& key, double number) {
    constexpr double exact_integers = 9007199254740992.0;  // 2^53: below it a double is an integer exactly
    if (std::abs(number) < exact_integers && number == std::trunc(number)) {
        key += "i" + std::to_string(static_cast<std::int64_t>(number));
        return;
    }
    char text[32];
    const auto end = std::to_chars(text, text + sizeof text, number).ptr;
    key += 'f';
    key.append(text, end);
}

void append(std::string& key, const nlohmann::json& value) {
    using Type = nlohmann::json::value_t;
    switch (value.type()) {
        case Type::object:
            key += '{';
            for (const auto& [name, member] : value.items()) {  // nlohmann::json keeps keys sorted
                append_text(key, name);
                append(key, member);
            }
            key += '}';
            return;
        case Type::array:
            key += '[';
            for (const auto& element : value) append(key, element);
            key += ']';
            return;
        case Type::string:
            key += 's';
            append_text(key, value.get_ref<const std::string&>());
            return;
        case Type::boolean:
            key += value.get<bool>() ? 't' : 'b';
            return;
        case Type::number_integer:
            key += "i" + std::to_string(value.get<std::int64_t>());
            return;
        case Type::number_unsigned:
            key += "i" + std::to_string(value.get<std::uint64_t>());
            return;
        case Type::number_float:
            append_number(key, value.get<double>());
            return;
        case Type::null:
            key += 'n';
            return;
        case Type::binary:
        case Type::discarded:
            break;
    }
    throw BadRequest("metadata", "holds a value that JSON does not have");
}

}  // namespace

bool is_valid_utf8(std::string_view text) noexcept {
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t length = sequence_length(text, at);
        if (length == 0) return false;
        at += length;
    }
    return true;
}

std::string valid_utf8(std::string_view text) {
    std::string valid;
    valid.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t length = sequence_length(text, at);
        if (length == 0) {
            valid += "\xEF\xBF\xBD";
            ++at;
        } else {
            valid.append(text.substr(at, length));
            at += length;
        }
    }
    return valid;
}

std::string identity_of(const nlohmann::json& metadata) {
    if (!metadata.is_object() && !metadata.is_null()) throw BadRequest("metadata", "expected an object");
    std::string key;
    if (metadata.is_null()) {
        key = "{}";
    } else {
        append(key, metadata);
    }
    return key;
}

}  // namespace taskd
