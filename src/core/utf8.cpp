#include "core/utf8.hpp"

#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

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

}  // namespace

bool is_valid_utf8(std::string_view text) noexcept {
    std::size_t at = 0;
    while (at < text.size() && static_cast<unsigned char>(text[at]) < 0x80) ++at;  // all of most texts
    while (at < text.size()) {
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

void make_valid_utf8(nlohmann::json& value) {
    if (value.is_null() || value.is_boolean() || value.is_number()) return;  // most values: without an allocation
    std::vector<nlohmann::json*> open{&value};  // not the call stack: how deep a value goes is not ours to say
    while (!open.empty()) {
        nlohmann::json& next = *open.back();
        open.pop_back();
        if (next.is_string()) {
            auto& text = next.get_ref<std::string&>();
            if (!is_valid_utf8(text)) text = valid_utf8(text);
        } else if (next.is_object()) {
            std::vector<std::string> bad_names;
            for (auto& [name, member] : next.items())
                if (is_valid_utf8(name))
                    open.push_back(&member);
                else
                    bad_names.push_back(name);
            for (const auto& name : bad_names) {
                nlohmann::json member = std::move(next[name]);
                next.erase(name);
                open.push_back(&(next[valid_utf8(name)] = std::move(member)));
            }
        } else if (next.is_array()) {
            for (auto& element : next) open.push_back(&element);
        } else if (next.is_discarded()) {
            next = nullptr;
        }
    }
}

}  // namespace taskd
