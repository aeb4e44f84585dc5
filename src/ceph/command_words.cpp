#include "ceph/command_words.hpp"

#include <algorithm>
#include <charconv>
#include <deque>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>
#include <taskd/error.hpp>

namespace taskd::ceph {
namespace {

using nlohmann::json;
using Form = CommandArgument::Form;

template <class Number>
std::optional<Number> number_from(const std::string& text) {
    Number number{};
    const auto end = std::from_chars(text.data(), text.data() + text.size(), number);
    if (end.ec != std::errc() || end.ptr != text.data() + text.size()) return std::nullopt;
    return number;
}

json value_from(const CommandArgument& argument, const std::string& word) {
    // "osd.3" is the CLI's name of what is sent as 3.
    const bool names_osd = argument.type == "CephOsdName" && word.starts_with("osd.");
    const std::string text = names_osd ? word.substr(4) : word;
    if (argument.form == Form::integer) {
        if (const auto number = number_from<std::int64_t>(text)) return *number;
        throw BadRequest(argument.name, "expected an integer, got '" + word + "'");
    }
    if (argument.form == Form::number) {
        if (const auto number = number_from<double>(text)) return *number;
        throw BadRequest(argument.name, "expected a number, got '" + word + "'");
    }
    if (argument.form == Form::boolean) {
        if (text == "true" || text == "yes" || text == "1" || text == "--" + argument.name) return true;
        if (text == "false" || text == "no" || text == "0") return false;
        throw BadRequest(argument.name, "expected true or false, got '" + word + "'");
    }
    return text;
}

/// The longest beginning of the words that is a command.
std::pair<std::string, std::size_t> find_prefix(const std::vector<std::string>& words, const CommandTable& table) {
    std::pair<std::string, std::size_t> longest;
    std::string prefix;
    for (std::size_t n = 0; n < words.size(); ++n) {
        prefix += (n == 0 ? "" : " ") + words[n];
        if (table.knows(prefix)) longest = {prefix, n + 1};
    }
    if (longest.second == 0) throw BadRequest("words", "no command of the cluster begins with '" + prefix + "'");
    return longest;
}

std::string with_underscores(std::string name) {
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
}

/// Takes `--name value`, `--name=value` and `--flag` out of the words.
void take_named(std::deque<std::string>& words, const CommandSignature& signature, json& command) {
    for (std::size_t at = 0; at < words.size();) {
        const std::string& word = words[at];
        const std::size_t equals = word.find('=');
        const std::string name =
            word.starts_with("--") ? with_underscores(word.substr(2, equals == std::string::npos ? equals : equals - 2))
                                   : "";
        const auto argument =
            std::find_if(signature.arguments.begin(), signature.arguments.end(),
                         [&](const auto& known) { return !name.empty() && with_underscores(known.name) == name; });
        if (argument == signature.arguments.end()) {
            ++at;
            continue;
        }
        const auto here = words.begin() + static_cast<std::ptrdiff_t>(at);
        if (equals != std::string::npos) {
            command[argument->name] = value_from(*argument, word.substr(equals + 1));
            words.erase(here);
        } else if (argument->form == Form::boolean) {
            command[argument->name] = true;
            words.erase(here);
        } else {
            if (at + 1 >= words.size()) throw BadRequest(argument->name, "its value is missing");
            command[argument->name] = value_from(*argument, words[at + 1]);
            words.erase(here, here + 2);
        }
    }
}

json fit(std::deque<std::string> words, const CommandSignature& signature, const std::string& prefix) {
    json command{{"prefix", prefix}};
    take_named(words, signature, command);
    for (const auto& argument : signature.arguments) {
        if (words.empty() || command.contains(argument.name)) continue;
        if (argument.repeated) {
            auto& values = command[argument.name] = json::array();
            for (; !words.empty(); words.pop_front()) values.push_back(value_from(argument, words.front()));
        } else {
            command[argument.name] = value_from(argument, words.front());
            words.pop_front();
        }
    }
    if (!words.empty()) throw BadRequest("words", "'" + prefix + "' has no place for '" + words.front() + "'");
    return command;
}

}  // namespace

json command_from_words(const std::vector<std::string>& words, const CommandTable& table) {
    const auto [prefix, used] = find_prefix(words, table);
    const std::deque<std::string> rest(words.begin() + static_cast<std::ptrdiff_t>(used), words.end());
    std::exception_ptr first_problem;
    for (const auto& signature : table.forms(prefix)) {
        try {
            json command = fit(rest, signature, prefix);
            table.check(command);
            return command;
        } catch (const BadRequest&) {
            if (!first_problem) first_problem = std::current_exception();
        }
    }
    std::rethrow_exception(first_problem);
}

}  // namespace taskd::ceph
