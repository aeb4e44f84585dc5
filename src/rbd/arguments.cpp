#include "rbd/arguments.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <taskd/error.hpp>

namespace taskd::rbd {
namespace {

[[noreturn]] void refuse_range(std::string_view field, std::uint64_t max) {
    throw BadRequest(field, "must be from 0 to " + std::to_string(max));
}

std::uint64_t from_float(std::string_view field, double value, std::uint64_t max) {
    // Compared as a double first: casting a double that does not fit is undefined.
    if (!std::isfinite(value) || value <= -1.0 || value >= 0x1p64) refuse_range(field, max);
    return static_cast<std::uint64_t>(std::max(value, 0.0));
}

std::uint64_t from_text(std::string_view field, std::string_view text, std::uint64_t max) {
    constexpr std::string_view blanks = " \t\n\r";
    const auto begin = text.find_first_not_of(blanks);
    if (begin != std::string_view::npos) text = text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
    if (text.starts_with('+')) text.remove_prefix(1);
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc::result_out_of_range) refuse_range(field, max);
    if (text.starts_with('-') && text.size() > 1) refuse_range(field, max);
    if (error != std::errc{} || end != text.data() + text.size()) throw BadRequest(field, "expected a whole number");
    return value;
}

std::uint64_t to_number(std::string_view field, const nlohmann::json& value, bool text_too, std::uint64_t max) {
    std::uint64_t result = 0;
    if (value.is_number_float())
        result = from_float(field, value.get<double>(), max);
    else if (value.is_number_unsigned())
        result = value.get<std::uint64_t>();
    else if (value.is_number_integer() && value.get<std::int64_t>() >= 0)
        result = static_cast<std::uint64_t>(value.get<std::int64_t>());
    else if (value.is_number_integer())
        refuse_range(field, max);
    else if (value.is_string() && text_too)
        result = from_text(field, value.get_ref<const std::string&>(), max);
    else
        throw BadRequest(field, "expected a number");
    if (result > max) refuse_range(field, max);
    return result;
}

}  // namespace

Arguments::Arguments(const nlohmann::json& given, std::initializer_list<std::string_view> known) : given_(given) {
    if (!given.is_object()) throw BadRequest("body", "expected a JSON object");
    for (const auto& [field, value] : given.items())
        if (std::find(known.begin(), known.end(), field) == known.end()) throw BadRequest(field, "unknown field");
}

const nlohmann::json* Arguments::find(std::string_view field) const {
    const auto found = given_.find(std::string(field));
    return found == given_.end() || found->is_null() ? nullptr : &*found;
}

std::string Arguments::text(std::string_view field) const {
    auto value = optional_text(field);
    if (!value) throw BadRequest(field, "is required");
    return *std::move(value);
}

std::optional<std::string> Arguments::optional_text(std::string_view field) const {
    const auto* value = find(field);
    if (value == nullptr) return std::nullopt;
    if (!value->is_string()) throw BadRequest(field, "expected text");
    return value->get<std::string>();
}

std::uint64_t Arguments::number(std::string_view field, bool text_too, std::uint64_t max) const {
    const auto* value = find(field);
    if (value == nullptr) throw BadRequest(field, "is required");
    return to_number(field, *value, text_too, max);
}

std::optional<std::uint64_t> Arguments::optional_number(std::string_view field, std::uint64_t max) const {
    const auto* value = find(field);
    if (value == nullptr) return std::nullopt;
    return to_number(field, *value, false, max);
}

std::optional<bool> Arguments::optional_flag(std::string_view field) const {
    const auto* value = find(field);
    if (value == nullptr) return std::nullopt;
    if (value->is_boolean()) return value->get<bool>();
    std::string text = value->is_string() ? value->get<std::string>() : std::string{"-"};
    std::transform(text.begin(), text.end(), text.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    for (const std::string_view yes : {"true", "yes", "on", "1", "t", "y"})
        if (text == yes) return true;
    for (const std::string_view no : {"false", "no", "off", "0", "f", "n", ""})
        if (text == no) return false;
    throw BadRequest(field, "expected true or false");
}

std::string Arguments::choice(std::string_view field, std::initializer_list<std::string_view> words) const {
    const auto value = optional_text(field);
    if (!value) return std::string(*words.begin());
    if (std::find(words.begin(), words.end(), *value) != words.end()) return *value;
    std::string list;
    for (const auto word : words) list.append(list.empty() ? "\"" : ", \"").append(word).append("\"");
    throw BadRequest(field, "expected one of " + list);
}

}  // namespace taskd::rbd
