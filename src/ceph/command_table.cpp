#include "ceph/command_table.hpp"

#include "ceph/command.hpp"
#include "core/utf8.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <set>

#include <taskd/error.hpp>

namespace taskd::ceph {
namespace {

using nlohmann::json;
using Form = CommandArgument::Form;

Form form_of(const std::string& type) {
    // An OSD's name is sent as its number: the monitor answers EINVAL to "0" and "osd.0".
    if (type == "CephInt" || type == "CephOsdName") return Form::integer;
    if (type == "CephFloat") return Form::number;
    if (type == "CephBool") return Form::boolean;
    if (type == "CephChoices") return Form::choice;
    if (type == "CephPgid") return Form::pgid;
    if (type == "CephUUID") return Form::uuid;
    return Form::text;
}

std::string text_of(const json& description, const char* key) {
    const auto found = description.find(key);
    if (found == description.end()) return {};
    return found->is_string() ? found->get<std::string>() : found->dump();
}

std::vector<std::string> split(const std::string& text, char separator) {
    std::vector<std::string> parts(1);
    for (const char c : text) {
        if (c == separator)
            parts.emplace_back();
        else
            parts.back() += c;
    }
    return parts;
}

CommandArgument parse_argument(const json& description) {
    CommandArgument argument;
    argument.name = text_of(description, "name");
    argument.type = text_of(description, "type");
    argument.form = form_of(argument.type);
    // "false", "False" and, in 16.2.15's `osd pool application get`, "fasle".
    const std::string required = text_of(description, "req");
    argument.required = required.empty() || (required[0] != 'f' && required[0] != 'F');
    argument.repeated = text_of(description, "n") == "N";
    if (const auto range = text_of(description, "range"); !range.empty()) {
        const auto bounds = split(range, '|');
        argument.least = std::strtod(bounds[0].c_str(), nullptr);
        if (bounds.size() > 1) argument.most = std::strtod(bounds[1].c_str(), nullptr);
    }
    if (const auto choices = text_of(description, "strings"); !choices.empty()) argument.choices = split(choices, '|');
    argument.good_characters = text_of(description, "goodchars");
    return argument;
}

/// Whether a bracket expression such as "[A-Za-z0-9-_.]" has the character. A '-' that joins no two ends is itself.
bool has_character(std::string_view bracket, char c) {
    if (bracket.size() > 2 && bracket.front() == '[' && bracket.back() == ']') {
        bracket.remove_prefix(1);
        bracket.remove_suffix(1);
    }
    for (std::size_t at = 0; at < bracket.size(); ++at) {
        if (at + 2 < bracket.size() && bracket[at + 1] == '-' && bracket[at] <= bracket[at + 2] &&
            std::isalnum(static_cast<unsigned char>(bracket[at]))) {
            if (bracket[at] <= c && c <= bracket[at + 2]) return true;
            at += 2;
        } else if (bracket[at] == c) {
            return true;
        }
    }
    return false;
}

std::string number_text(double number) {
    std::string text = json(number).dump();
    if (text.ends_with(".0")) text.resize(text.size() - 2);
    return text;
}

void check_range(const CommandArgument& argument, double number) {
    if (argument.least && number < *argument.least)
        throw BadRequest(argument.name, "must be at least " + number_text(*argument.least));
    if (argument.most && number > *argument.most)
        throw BadRequest(argument.name, "must be at most " + number_text(*argument.most));
}

bool is_uuid(std::string_view text) {
    if (text.size() != 36) return false;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const bool dash = at == 8 || at == 13 || at == 18 || at == 23;
        if (dash ? text[at] != '-' : std::isxdigit(static_cast<unsigned char>(text[at])) == 0) return false;
    }
    return true;
}

bool is_pgid(const std::string& text) {
    try {
        return CommandTarget::parse("pg " + text).id == text;
    } catch (const BadRequest&) {
        return false;
    }
}

json check_number(const CommandArgument& argument, const json& value) {
    if (!value.is_number()) throw BadRequest(argument.name, "expected a number");
    const double number = value.get<double>();
    if (!std::isfinite(number)) throw BadRequest(argument.name, "expected a finite number");
    check_range(argument, number);
    return number;
}

json check_integer(const CommandArgument& argument, const json& value) {
    const bool fits =
        value.is_number_integer() &&
        (!value.is_number_unsigned() ||
         value.get<std::uint64_t>() <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()));
    if (!fits) throw BadRequest(argument.name, "expected an integer");
    check_range(argument, static_cast<double>(value.get<std::int64_t>()));
    return value;
}

json check_text(const CommandArgument& argument, const json& value) {
    if (!value.is_string()) throw BadRequest(argument.name, "expected a string");
    const auto& text = value.get_ref<const std::string&>();
    if (argument.form == Form::pgid && !is_pgid(text)) throw BadRequest(argument.name, "expected a PG id such as 1.2a");
    if (argument.form == Form::uuid && !is_uuid(text)) throw BadRequest(argument.name, "expected a UUID");
    if (argument.form == Form::choice && !argument.choices.empty() &&
        std::find(argument.choices.begin(), argument.choices.end(), text) == argument.choices.end()) {
        std::string known;
        for (const auto& choice : argument.choices) known += (known.empty() ? "" : ", ") + choice;
        throw BadRequest(argument.name, "must be one of " + known);
    }
    if (!argument.good_characters.empty() && argument.form == Form::text)
        for (const char c : text)
            if (!has_character(argument.good_characters, c))
                throw BadRequest(argument.name, "has a character outside of " + argument.good_characters);
    return value;
}

json check_one(const CommandArgument& argument, const json& value) {
    switch (argument.form) {
        case Form::integer:
            return check_integer(argument, value);
        case Form::number:
            return check_number(argument, value);
        case Form::boolean:
            if (!value.is_boolean()) throw BadRequest(argument.name, "expected true or false");
            return value;
        default:
            return check_text(argument, value);
    }
}

json check_value(const CommandArgument& argument, const json& value) {
    if (!argument.repeated) return check_one(argument, value);
    if (!value.is_array()) throw BadRequest(argument.name, "expected an array");
    // The monitor reads an empty array as one of strings, whatever the argument is.
    if (value.empty()) throw BadRequest(argument.name, "expected a non-empty array");
    auto checked = json::array();
    for (const auto& element : value) checked.push_back(check_one(argument, element));
    return checked;
}

json check_against(const CommandSignature& signature, const json& command) {
    json checked{{"prefix", command["prefix"]}};
    for (const auto& argument : signature.arguments) {
        const auto value = command.find(argument.name);
        if (value != command.end())
            checked[argument.name] = check_value(argument, *value);
        else if (argument.required)
            throw BadRequest(argument.name, "required by '" + prefix_of(command) + "' and missing");
    }
    for (const auto& [key, value] : command.items()) {
        if (checked.contains(key) || key == "target") continue;
        if (key != "format") throw BadRequest(key, "not an argument of '" + prefix_of(command) + "'");
        checked[key] = value;
    }
    return checked;
}

bool is_scalar(const json& value) {
    return value.is_string() || value.is_number() || value.is_boolean();
}

/// No fewer bytes than the JSON text of it takes, with what stands beside it; far more than are allowed when it is not
/// valid UTF-8, so that the text itself is made and looked at.
std::size_t most_text_bytes(const std::string& text) {
    constexpr std::size_t longest_escape = 6;
    return is_valid_utf8(text) ? longest_escape * text.size() + 4 : std::size_t{1} << 40U;
}
std::size_t most_text_bytes(const json& value) {
    constexpr std::size_t longest_number = 40;
    if (value.is_string()) return most_text_bytes(value.get_ref<const std::string&>());
    if (!value.is_array()) return longest_number;
    std::size_t bytes = 4;
    for (const auto& element : value) bytes += most_text_bytes(element);
    return bytes;
}

}  // namespace

void check_shape(const json& command, std::size_t most_bytes) {
    if (!command.is_object()) throw BadRequest("command", "expected an object");
    const auto prefix = command.find("prefix");
    if (prefix == command.end()) throw BadRequest("prefix", "missing");
    if (!prefix->is_string() || prefix->get_ref<const std::string&>().empty())
        throw BadRequest("prefix", "expected a non-empty string");
    if (command.contains("format") && !command["format"].is_string()) throw BadRequest("format", "expected a string");
    std::size_t longest = 0;  // that its text can be
    for (const auto& [key, value] : command.get_ref<const json::object_t&>()) {
        const bool flat = is_scalar(value) || (value.is_array() && std::all_of(value.begin(), value.end(), &is_scalar));
        if (!flat) throw BadRequest(key, "expected a string, a number, a boolean or an array of those");
        longest += most_text_bytes(key) + most_text_bytes(value);
    }
    if (longest <= most_bytes) return;
    // Values are flat by now, so that this cannot recurse deeply.
    std::string text;
    try {
        text = command.dump();
    } catch (const json::exception&) {
        throw BadRequest("command", "not valid UTF-8");
    }
    if (text.size() > most_bytes)
        throw BadRequest("command",
                         "longer than " + std::to_string(most_bytes) + " bytes; use the input for bulk data");
}

CommandTable CommandTable::parse(std::string_view descriptions) {
    const auto document = json::parse(descriptions, nullptr, false);
    const auto broken = [](const std::string& why) {
        return Error(ErrorKind::internal, EPROTO, "rados", "the daemon's command descriptions cannot be read: " + why);
    };
    if (!document.is_object() || document.empty()) throw broken("not a JSON object");
    CommandTable table;
    for (const auto& [number, description] : document.items()) {
        if (!description.is_object() || !description.contains("sig") || !description["sig"].is_array())
            throw broken(number + " has no signature");
        std::string prefix;
        CommandSignature signature;
        signature.permission = text_of(description, "perm");
        for (const auto& part : description["sig"]) {
            if (part.is_string())
                prefix += (prefix.empty() ? "" : " ") + part.get<std::string>();
            else
                signature.arguments.push_back(parse_argument(part));
        }
        table.signatures_[prefix].push_back(std::move(signature));
    }
    return table;
}

std::string CommandTable::permission(const std::string& prefix) const {
    const auto found = signatures_.find(prefix);
    if (found == signatures_.end()) return {};
    std::string widest;
    for (const auto& signature : found->second)
        if (signature.permission.size() > widest.size()) widest = signature.permission;
    return widest;
}

json CommandTable::check(const json& command) const {
    check_shape(command);
    const auto found = signatures_.find(command["prefix"].get_ref<const std::string&>());
    if (found == signatures_.end()) throw BadRequest("prefix", "command '" + prefix_of(command) + "' not known");
    // A few prefixes have several forms (`osd crush set`, `pg`): one that fits will do, and where none does, the first
    // form's complaint is as good as any.
    std::optional<BadRequest> complaint;
    for (const auto& signature : found->second) {
        try {
            return check_against(signature, command);
        } catch (const BadRequest& bad) {
            if (!complaint) complaint = bad;
        }
    }
    throw BadRequest(*complaint);
}

const std::vector<CommandSignature>& CommandTable::forms(const std::string& prefix) const {
    static const std::vector<CommandSignature> none;
    const auto found = signatures_.find(prefix);
    return found == signatures_.end() ? none : found->second;
}

}  // namespace taskd::ceph
