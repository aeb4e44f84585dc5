#include "core/utf8.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>

#include <nlohmann/json.hpp>
#include <taskd/error.hpp>
#include <taskd/identity.hpp>

namespace taskd {
namespace {

/// Deeper metadata is refused: it is walked by recursion here and wherever it is serialised.
constexpr int deepest = 64;

template <class Number>
void append_decimal(std::string& key, Number number) {
    std::array<char, 32> text{};
    key.append(text.data(), std::to_chars(text.data(), text.data() + text.size(), number).ptr);
}

template <class Integer>
void append_integer(std::string& key, Integer number) {
    key += 'i';
    append_decimal(key, number);
    key += ';';  // or the length of a text that follows could pass for more digits
}

void append_float(std::string& key, double number) {
    // A double that is an integer is named as the integer it equals; outside these ranges no JSON integer equals it.
    constexpr double below_int64 = -9223372036854775808.0;
    constexpr double above_int64 = 9223372036854775808.0;
    constexpr double above_uint64 = 18446744073709551616.0;
    const bool whole = number == std::trunc(number);
    if (whole && number >= below_int64 && number < above_int64) {
        append_integer(key, static_cast<std::int64_t>(number));
    } else if (whole && number >= above_int64 && number < above_uint64) {
        append_integer(key, static_cast<std::uint64_t>(number));
    } else {
        key += 'f';
        append_decimal(key, number);
        key += ';';
    }
}

void append_text(std::string& key, const std::string& text) {
    if (!is_valid_utf8(text)) throw BadRequest("metadata", "not valid UTF-8");
    // The length in front keeps a text from being mistaken for what follows it.
    append_decimal(key, text.size());
    key += ':';
    key += text;
}

void append(std::string& key, const nlohmann::json& value, int depth) {
    using Type = nlohmann::json::value_t;
    if (depth > deepest) throw BadRequest("metadata", "nested deeper than " + std::to_string(deepest) + " levels");
    switch (value.type()) {
        case Type::object:
            key += '{';
            // nlohmann::json keeps keys sorted; its items() would copy each.
            for (const auto& [name, member] : value.get_ref<const nlohmann::json::object_t&>()) {
                append_text(key, name);
                append(key, member, depth + 1);
            }
            key += '}';
            return;
        case Type::array:
            key += '[';
            for (const auto& element : value) append(key, element, depth + 1);
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
            append_integer(key, value.get<std::int64_t>());
            return;
        case Type::number_unsigned:
            append_integer(key, value.get<std::uint64_t>());
            return;
        case Type::number_float:
            append_float(key, value.get<double>());
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

std::string identity_of(const nlohmann::json& metadata) {
    if (metadata.is_null()) return "{}";
    if (!metadata.is_object()) throw BadRequest("metadata", "expected an object");
    std::string key;
    key.reserve(64);  // what image specs and pool names mostly need
    append(key, metadata, 1);
    return key;
}

}  // namespace taskd
