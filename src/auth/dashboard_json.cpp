#include "auth/dashboard_json.hpp"

#include <nlohmann/json.hpp>

namespace taskd::auth {
namespace {

using nlohmann::ordered_json;

void append(std::string& text, const ordered_json& value) {
    const auto scalar = [](const ordered_json& one) { return one.dump(-1, ' ', true); };
    if (!value.is_structured()) {
        text += scalar(value);
        return;
    }
    text += value.is_object() ? '{' : '[';
    const char* separator = "";
    for (const auto& [name, member] : value.items()) {
        text += separator;
        if (value.is_object()) text += scalar(name) + ": ";
        append(text, member);
        separator = ", ";
    }
    text += value.is_object() ? '}' : ']';
}

}  // namespace

std::string dashboard_json(const ordered_json& value) {
    std::string text;
    append(text, value);
    return text;
}

}  // namespace taskd::auth
