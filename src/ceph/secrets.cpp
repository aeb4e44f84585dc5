#include "ceph/secrets.hpp"

#include <array>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace taskd::ceph {
namespace {

constexpr std::string_view mask = "***";

bool names_a_secret(std::string_view name) {
    for (const std::string_view part : {"key", "secret", "password", "passwd", "token", "credential"})
        if (name.find(part) != std::string_view::npos) return name != "key_type";
    return false;
}

}  // namespace

nlohmann::json without_secrets(nlohmann::json command) {
    if (!command.is_object()) return command;
    const auto prefix = command.find("prefix");
    const std::string name = prefix != command.end() && prefix->is_string() ? prefix->get<std::string>() : "";
    // There `key` is the name of an entry and the value is what may be secret.
    const bool stores_values = name.starts_with("config-key ") || name.starts_with("config ");
    for (auto& [argument, value] : command.items()) {
        if (argument == "prefix" || argument == "format") continue;
        const bool is_secret = stores_values ? argument == "val" || argument == "value" : names_a_secret(argument);
        if (is_secret) value = mask;
    }
    return command;
}

}  // namespace taskd::ceph
