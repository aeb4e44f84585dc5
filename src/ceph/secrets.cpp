#include "ceph/secrets.hpp"

#include "ceph/command.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <vector>

namespace taskd::ceph {
namespace {

using nlohmann::json;

constexpr std::string_view mask = "***";

/// Shorter ones are too common in texts to be looked for there: "1", "on".
constexpr std::size_t least_echo = 4;

/// Base64 of `{"`: how tokens begin, JWTs as well as those that make clusters peers.
constexpr std::string_view token_begin = "eyJ";
constexpr std::size_t least_token = 20;

/// @source  Ceph, `CryptoKey::encode`: 28 bytes whose first two are the type, 1, in base64
constexpr std::string_view cephx_key_begin = "AQ";
constexpr std::size_t cephx_key_size = 40;

constexpr std::string_view private_key_begin = "-----BEGIN ";
constexpr std::string_view private_key_mark = "PRIVATE KEY-----";

bool is_letter(char c) noexcept {
    return std::isalpha(static_cast<unsigned char>(c)) != 0;
}
bool is_alphanumeric(char c) noexcept {
    return std::isalnum(static_cast<unsigned char>(c)) != 0;
}
bool is_upper(char c) noexcept {
    return std::isupper(static_cast<unsigned char>(c)) != 0;
}
bool is_blank(char c) noexcept {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
bool is_quote(char c) noexcept {
    return c == '"' || c == '\'' || c == '\\';
}
bool is_of_name(char c) noexcept {
    return is_alphanumeric(c) || c == '_' || c == '-';
}
/// Base64 of both alphabets, and the dots between the parts of a JWT.
bool is_of_token(char c) noexcept {
    return is_of_name(c) || c == '+' || c == '/' || c == '=' || c == '.';
}
bool is_of_value(char c) noexcept {
    return !is_blank(c) && std::string_view(",;{}[]()").find(c) == std::string_view::npos;
}

std::string lower(std::string_view text) {
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(),
                   [](char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); });
    return result;
}

/// Whether the last word of `name` is "key": `key`, `secret_key`, `apiKey`, but neither `monkey` nor `key_type`.
bool ends_in_key(std::string_view name) {
    constexpr std::size_t size = 3;
    if (name.size() < size || lower(name.substr(name.size() - size)) != "key") return false;
    if (name.size() == size) return true;
    return !is_letter(name[name.size() - size - 1]) || is_upper(name[name.size() - size]);
}

std::size_t length_of(std::string_view text, bool (*belongs)(char) noexcept) noexcept {
    return static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), belongs) - text.begin());
}

std::size_t private_key_length(std::string_view text) noexcept {
    const auto line = text.substr(0, text.find('\n'));
    if (line.find(private_key_mark) == std::string_view::npos) return 0;
    const auto end = text.find(private_key_mark, text.find("-----END "));
    return end == std::string_view::npos ? text.size() : end + private_key_mark.size();
}

/// Of the secret by its form that `text` begins with; 0 when it begins with none.
std::size_t secret_length(std::string_view text) noexcept {
    if (text.starts_with(token_begin)) {
        const auto length = length_of(text, is_of_token);
        return length >= least_token ? length : 0;
    }
    if (text.starts_with(cephx_key_begin)) {
        const auto length = length_of(text, is_of_token);
        return length >= cephx_key_size && text.substr(cephx_key_size - 2, 2) == "==" ? cephx_key_size : 0;
    }
    return text.starts_with(private_key_begin) ? private_key_length(text) : 0;
}

/// What stands behind the name of a secret.
struct Value {
    std::size_t begin = 0;
    std::size_t length = 0;  ///< 0: there is none.
};

/// @param text     What follows the name.
/// @param is_word  The name was `--name`: a blank is enough between it and the value.
Value value_behind(std::string_view text, bool is_word) noexcept {
    std::size_t at = length_of(text, is_quote);  // of the name itself
    const auto blanks = length_of(text.substr(at), is_blank);
    at += blanks;
    const bool is_told = at < text.size() && (text[at] == '=' || text[at] == ':');
    if (!is_told && (!is_word || blanks == 0)) return {};
    if (is_told) ++at;
    at += length_of(text.substr(at), is_blank);
    while (at < text.size() && text[at] == '\\') ++at;
    if (at == text.size() || !is_quote(text[at])) return {at, length_of(text.substr(at), is_of_value)};
    const char quote = text[at++];
    return {at, std::min(text.find(quote, at), text.size()) - at};
}

/// Where the password is in a text that begins with `://`: between the first `:` and the last `@` of the host's part.
Value password_of_url(std::string_view text) noexcept {
    constexpr std::size_t marks = 3;
    const auto host = text.substr(marks, std::min(text.find_first_of(" \t\r\n/\"'", marks), text.size()) - marks);
    const auto at = host.rfind('@');
    const auto colon = host.find(':');
    if (at == std::string_view::npos || colon == std::string_view::npos || colon > at) return {};
    return {marks + colon + 1, at - colon - 1};
}

/// Words that tell of a command that its answer is a secret, or has some.
bool tells_secrets(std::string_view prefix) {
    constexpr std::array<std::string_view, 21> telling{
        "auth",      "authorize", "bootstrap", "config", "credential", "credentials", "key",
        "keyring",   "keys",      "log",       "login",  "passphrase", "passwd",      "password",
        "passwords", "secret",    "secrets",   "token",  "tokens",     "user",        "users"};
    while (!prefix.empty()) {
        const auto length = length_of(prefix, is_alphanumeric);
        const auto word = lower(prefix.substr(0, length));
        if (std::find(telling.begin(), telling.end(), word) != telling.end()) return true;
        prefix.remove_prefix(std::min(length + 1, prefix.size()));
    }
    return false;
}

/// All texts in it.
void collect_texts(const json& value, std::vector<std::string>& texts) {
    if (value.is_string()) texts.push_back(value.get<std::string>());
    if (value.is_structured())
        for (const auto& part : value) collect_texts(part, texts);
}

bool holds_a_secret(std::string_view prefix, std::string_view argument) {
    if (argument == "prefix" || argument == "format") return false;
    // There `key` is the name of an entry and the value is what may be secret.
    const bool stores_values = prefix.starts_with("config-key ") || prefix.starts_with("config ");
    if (stores_values) return argument == "val" || argument == "value";
    return names_a_secret(argument);
}

std::string prefix_or_nothing(const json& command) {
    return command.is_object() && command.contains("prefix") ? prefix_of(command) : std::string();
}

/// Masks what holds a secret by its name, and what texts have of secrets.
void mask_members(json& value) {
    if (value.is_string()) value = without_secrets(value.get_ref<const std::string&>());
    if (value.is_array())
        for (auto& part : value) mask_members(part);
    if (!value.is_object()) return;
    for (auto& [name, member] : value.items()) {
        if (member.is_string() && names_a_secret(name))
            member = mask;
        else
            mask_members(member);
    }
}

}  // namespace

bool names_a_secret(std::string_view name) {
    if (ends_in_key(name)) return true;
    const auto small = lower(name);
    for (const std::string_view part : {"password", "passwd", "passphrase", "secret", "token", "credential", "keyring"})
        if (small.find(part) != std::string_view::npos) return true;
    return false;
}

std::string without_secrets(std::string_view text) {
    std::string shown;
    shown.reserve(text.size());
    const auto show = [&](std::size_t length) {
        shown += text.substr(0, length);
        text.remove_prefix(length);
    };
    const auto hide = [&](std::size_t length) {
        shown += mask;
        text.remove_prefix(length);
    };
    const auto hide_value = [&](Value value) {
        if (value.length == 0) return;
        show(value.begin);
        hide(value.length);
    };
    while (!text.empty()) {
        if (const auto length = secret_length(text); length > 0) {
            hide(length);
        } else if (text.starts_with("://")) {
            const auto password = password_of_url(text);
            if (password.length == 0) show(1);
            hide_value(password);
        } else if (is_of_name(text.front())) {
            const auto name = text.substr(0, length_of(text, is_of_name));
            show(name.size());
            if (names_a_secret(name)) hide_value(value_behind(text, name.starts_with("--")));
        } else {
            show(1);
        }
    }
    return shown;
}

json command_without_secrets(json command) {
    if (!command.is_object()) return command;
    const auto prefix = prefix_or_nothing(command);
    for (auto& [argument, value] : command.items()) {
        if (holds_a_secret(prefix, argument))
            value = mask;
        else if (argument != "prefix")
            mask_members(value);
    }
    return command;
}

std::string said_without_secrets(std::string_view text, const json& command) {
    std::string said(text);
    std::vector<std::string> secrets;
    if (command.is_object())
        for (const auto& [argument, value] : command.items())
            if (holds_a_secret(prefix_or_nothing(command), argument)) collect_texts(value, secrets);
    for (const auto& secret : secrets) {
        if (secret.size() < least_echo) continue;
        for (auto at = said.find(secret); at != std::string::npos; at = said.find(secret, at + mask.size()))
            said.replace(at, secret.size(), mask);
    }
    return without_secrets(said);
}

json answer_without_secrets(json answer, const json& command) {
    if (!answer.is_object()) return answer;
    if (const auto status = answer.find("status"); status != answer.end() && status->is_string())
        *status = said_without_secrets(status->get_ref<const std::string&>(), command);
    const auto output = answer.find("output");
    if (output == answer.end()) return answer;
    if (tells_secrets(prefix_or_nothing(command))) {
        answer.erase("output_size");
        answer.erase("truncated");
        answer["output"] = mask;
        answer["output_format"] = "text";
        answer["withheld"] = true;
    } else {
        mask_members(*output);
    }
    return answer;
}

}  // namespace taskd::ceph
