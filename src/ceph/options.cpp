#include "ceph/options.hpp"

#include <cstdint>
#include <functional>
#include <limits>

#include <nlohmann/json.hpp>
#include <taskd/error.hpp>

namespace taskd::ceph {
namespace {

void read(const nlohmann::json& value, const std::string& key, std::string& into) {
    if (!value.is_string()) throw BadRequest(key, "expected a string");
    into = value.get<std::string>();
}

void read(const nlohmann::json& value, const std::string& key, std::chrono::seconds& into) {
    constexpr auto most = std::numeric_limits<std::int32_t>::max();  // more are more years than anybody waits
    if (!value.is_number_integer() || value < 0 || value > most) throw BadRequest(key, "expected a number of seconds");
    into = std::chrono::seconds(value.get<std::uint32_t>());
}

void read(const nlohmann::json& value, const std::string& key, std::map<std::string, std::string>& into) {
    if (!value.is_object()) throw BadRequest(key, "expected an object of strings");
    into.clear();
    for (const auto& [option, text] : value.items()) read(text, key + "." + option, into[option]);
}

}  // namespace

void to_json(nlohmann::json& json, const ClusterOptions& options) {
    json = {{"conf", options.conf},
            {"name", options.name},
            {"keyring", options.keyring},
            {"cluster", options.cluster},
            {"overrides", options.overrides},
            {"connect_timeout_s", options.connect_timeout.count()},
            {"mon_op_timeout_s", options.mon_op_timeout.count()},
            {"osd_op_timeout_s", options.osd_op_timeout.count()}};
}

void from_json(const nlohmann::json& json, ClusterOptions& options) {
    if (!json.is_object()) throw BadRequest("cluster options", "expected an object");
    const std::map<std::string, std::function<void(const nlohmann::json&, const std::string&)>> readers{
        {"conf", [&](const auto& value, const auto& key) { read(value, key, options.conf); }},
        {"name", [&](const auto& value, const auto& key) { read(value, key, options.name); }},
        {"keyring", [&](const auto& value, const auto& key) { read(value, key, options.keyring); }},
        {"cluster", [&](const auto& value, const auto& key) { read(value, key, options.cluster); }},
        {"overrides", [&](const auto& value, const auto& key) { read(value, key, options.overrides); }},
        {"connect_timeout_s", [&](const auto& value, const auto& key) { read(value, key, options.connect_timeout); }},
        {"mon_op_timeout_s", [&](const auto& value, const auto& key) { read(value, key, options.mon_op_timeout); }},
        {"osd_op_timeout_s", [&](const auto& value, const auto& key) { read(value, key, options.osd_op_timeout); }},
    };
    for (const auto& [key, value] : json.items()) {
        const auto reader = readers.find(key);
        if (reader == readers.end()) throw BadRequest(key, "unknown cluster option");
        reader->second(value, key);
    }
}

}  // namespace taskd::ceph
