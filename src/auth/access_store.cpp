#include "auth/access_store.hpp"

#include <array>
#include <cerrno>
#include <optional>
#include <string>
#include <string_view>

#include <sys/random.h>

#include <taskd/error.hpp>

namespace taskd::auth {
namespace {

using nlohmann::json;

std::optional<std::string> value_of(ceph::CommandCaller& caller, const std::string& key) {
    const ceph::CommandTarget monitors;
    const json command{{"prefix", "config-key get"}, {"key", own_key_prefix + key}};
    const auto result = caller.call(monitors, command, {});
    if (result.return_code == -ENOENT) return std::nullopt;
    if (result.return_code < 0)
        throw ceph::command_error(result.return_code, result.status, monitors, command, nullptr);
    return result.output;
}

/// As bulk data: what is in the command itself stands in the monitors' log.
void set_value(ceph::CommandCaller& caller, const std::string& key, const std::string& value) {
    const ceph::CommandTarget monitors;
    const json command{{"prefix", "config-key set"}, {"key", own_key_prefix + key}};
    const auto result = caller.call(monitors, command, value);
    if (result.return_code < 0)
        throw ceph::command_error(result.return_code, result.status, monitors, command, nullptr);
}

std::string new_secret() {
    std::array<unsigned char, 32> bytes{};
    if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
        throw Error(ErrorKind::internal, errno, "auth", "cannot make a secret for tokens");
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (const unsigned char byte : bytes) {
        text += digits[byte / 16U];
        text += digits[byte % 16U];
    }
    return text;
}

}  // namespace

AccessDocument AccessStore::read() {
    const auto text = value_of(caller_, "accessdb_v2");
    return text ? AccessDocument::parse(*text) : AccessDocument();
}

void AccessStore::write(const AccessDocument& document) {
    if (value_of(caller_, "jwt_secret").value_or("").empty()) set_value(caller_, "jwt_secret", new_secret());
    set_value(caller_, "accessdb_v2", document.text());
}

}  // namespace taskd::auth
