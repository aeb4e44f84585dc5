#include "api/pool_plan.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <limits>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>
#include <taskd/error.hpp>

namespace taskd::api {
namespace {

using nlohmann::json;
using Commands = std::vector<json>;

constexpr std::array<std::string_view, 4> create_fields{"pg_num", "pool_type", "erasure_code_profile", "rule_name"};
constexpr std::array<std::string_view, 6> common_fields{
    "pool", "application_metadata", "flags", "quota_max_bytes", "quota_max_objects", "yes_i_really_mean_it"};
/// @source `ceph osd pool set -h` of 16.2.15, 18.2.7 and 20.2.4; those of cache tiers are left out.
constexpr std::array variables{std::string_view("allow_ec_overwrites"),
                               std::string_view("bulk"),
                               std::string_view("compression_algorithm"),
                               std::string_view("compression_max_blob_size"),
                               std::string_view("compression_min_blob_size"),
                               std::string_view("compression_mode"),
                               std::string_view("compression_required_ratio"),
                               std::string_view("crush_rule"),
                               std::string_view("csum_max_block"),
                               std::string_view("csum_min_block"),
                               std::string_view("csum_type"),
                               std::string_view("deep_scrub_interval"),
                               std::string_view("eio"),
                               std::string_view("fast_read"),
                               std::string_view("fingerprint_algorithm"),
                               std::string_view("hashpspool"),
                               std::string_view("min_size"),
                               std::string_view("nodeep-scrub"),
                               std::string_view("nodelete"),
                               std::string_view("nopgchange"),
                               std::string_view("noscrub"),
                               std::string_view("nosizechange"),
                               std::string_view("pg_autoscale_bias"),
                               std::string_view("pg_autoscale_mode"),
                               std::string_view("pg_num"),
                               std::string_view("pg_num_max"),
                               std::string_view("pg_num_min"),
                               std::string_view("pgp_num"),
                               std::string_view("recovery_op_priority"),
                               std::string_view("recovery_priority"),
                               std::string_view("scrub_max_interval"),
                               std::string_view("scrub_min_interval"),
                               std::string_view("scrub_priority"),
                               std::string_view("size"),
                               std::string_view("target_size_bytes"),
                               std::string_view("target_size_ratio"),
                               std::string_view("write_fadvise_dontneed")};

bool is_one_of(const auto& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

/// nullptr when absent or null, which is the same for the dashboard.
const json* find(const json& arguments, std::string_view field) {
    const auto member = arguments.find(field);
    return member == arguments.end() || member->is_null() ? nullptr : &*member;
}

std::string text(const json& value, std::string_view field) {
    if (!value.is_string() || value.get_ref<const std::string&>().empty()) throw BadRequest(field, "expected a text");
    return value.get<std::string>();
}

std::string required_text(const json& arguments, std::string_view field) {
    const auto* value = find(arguments, field);
    if (!value) throw BadRequest(field, "is required");
    return text(*value, field);
}

/// A name that image specs can hold.
std::string pool_name(const json& arguments) {
    auto name = required_text(arguments, "pool");
    if (name.find_first_of("/@") != std::string::npos) throw BadRequest("pool", "must not contain '/' or '@'");
    return name;
}

/// Whole and not negative; text of digits is taken too.
std::int64_t number(const json& value, std::string_view field) {
    if (value.is_number_integer() && value >= 0 && value <= std::numeric_limits<std::int64_t>::max())
        return value.get<std::int64_t>();
    if (value.is_string()) {
        const auto& digits = value.get_ref<const std::string&>();
        if (!digits.empty() && digits.size() < 19 &&
            std::all_of(digits.begin(), digits.end(), [](char digit) { return digit >= '0' && digit <= '9'; }))
            return std::stoll(digits);
    }
    throw BadRequest(field, "expected a whole number, 0 or more");
}

std::vector<std::string> texts(const json& value, std::string_view field) {
    if (!value.is_array()) throw BadRequest(field, "expected a list of texts");
    std::vector<std::string> result;
    for (const auto& element : value) result.push_back(text(element, field));
    return result;
}

/// A variable's value as `ceph osd pool set` takes it.
std::string variable_value(const json& value, std::string_view field) {
    if (value.is_string()) return text(value, field);
    if (value.is_boolean()) return value.get<bool>() ? "true" : "false";
    if (value.is_number()) return value.dump();
    throw BadRequest(field, "expected a text, a number or a boolean");
}

void check_fields(const json& arguments, bool is_new) {
    for (const auto& [name, value] : arguments.items()) {
        if (name == "configuration" && !value.is_null())
            throw BadRequest(name, "not a monitor's to set; use `rbd config pool set`");
        if (name != "configuration" && !is_one_of(common_fields, name) && !is_one_of(variables, name) &&
            !(is_new && is_one_of(create_fields, name)))
            throw BadRequest(name, "unknown field");
    }
}

void add_flags(const json& arguments, const std::string& pool, Commands& commands) {
    const auto* flags = find(arguments, "flags");
    if (!flags) return;
    for (const auto& flag : texts(*flags, "flags")) {
        if (flag != "ec_overwrites") throw BadRequest("flags", "unknown flag '" + flag + "'; there is ec_overwrites");
        commands.push_back(
            {{"prefix", "osd pool set"}, {"pool", pool}, {"var", "allow_ec_overwrites"}, {"val", "true"}});
    }
}

void add_quotas(const json& arguments, const std::string& pool, Commands& commands) {
    for (const auto* field : {"quota_max_bytes", "quota_max_objects"})
        if (const auto* value = find(arguments, field))
            commands.push_back({{"prefix", "osd pool set-quota"},
                                {"pool", pool},
                                {"field", std::string(field).substr(std::string_view("quota_").size())},
                                {"val", std::to_string(number(*value, field))}});
}

void add_variables(const json& arguments, const std::string& pool, bool is_new, Commands& commands) {
    const auto* really = find(arguments, "yes_i_really_mean_it");
    if (really && !really->is_boolean()) throw BadRequest("yes_i_really_mean_it", "expected a boolean");
    for (const auto& [name, value] : arguments.items()) {
        if (!is_one_of(variables, name) || value.is_null() || (is_new && name == "pg_num")) continue;
        json command{{"prefix", "osd pool set"}, {"pool", pool}, {"var", name}, {"val", variable_value(value, name)}};
        if (really && really->get<bool>()) command["yes_i_really_mean_it"] = true;
        commands.push_back(command);
        if (name == "pg_num" && !find(arguments, "pgp_num")) {
            command["var"] = "pgp_num";
            commands.push_back(std::move(command));
        }
    }
}

json application_command(const char* verb, const std::string& pool, const std::string& application) {
    return {{"prefix", std::string("osd pool application ") + verb},
            {"pool", pool},
            {"app", application},
            {"yes_i_really_mean_it", true}};
}

/// What makes the pool's applications those wanted. @param answer  To `osd pool application get`.
Commands application_changes(const std::string& pool, const std::vector<std::string>& wanted, const json& answer) {
    const auto found = answer.value("output", json::object());
    if (!found.is_object())
        throw Error(ErrorKind::internal, EPROTO, "pool", "the applications of pool '" + pool + "' are no JSON object");
    std::set<std::string> present;
    for (const auto& [name, settings] : found.items()) present.insert(name);
    Commands commands;
    for (const auto& name : wanted)
        if (!present.contains(name)) commands.push_back(application_command("enable", pool, name));
    for (const auto& name : present)
        if (std::find(wanted.begin(), wanted.end(), name) == wanted.end())
            commands.push_back(application_command("disable", pool, name));
    return commands;
}

}  // namespace

ceph::CommandPlan plan_pool_create(const json& arguments) {
    check_fields(arguments, true);
    const auto pool = pool_name(arguments);
    const auto* pg_num = find(arguments, "pg_num");
    if (!pg_num) throw BadRequest("pg_num", "is required");
    const auto type = required_text(arguments, "pool_type");
    if (type != "replicated" && type != "erasure") throw BadRequest("pool_type", "expected replicated or erasure");

    json create{
        {"prefix", "osd pool create"}, {"pool", pool}, {"pg_num", number(*pg_num, "pg_num")}, {"pool_type", type}};
    create["pgp_num"] = create["pg_num"];
    if (const auto* profile = find(arguments, "erasure_code_profile"))
        create["erasure_code_profile"] = text(*profile, "erasure_code_profile");
    if (const auto* rule = find(arguments, "rule_name")) create["rule"] = text(*rule, "rule_name");

    Commands commands{std::move(create)};
    if (const auto* applications = find(arguments, "application_metadata"))
        for (const auto& name : texts(*applications, "application_metadata"))
            commands.push_back(application_command("enable", pool, name));
    add_flags(arguments, pool, commands);
    add_quotas(arguments, pool, commands);
    add_variables(arguments, pool, true, commands);
    return {std::move(commands)};
}

ceph::CommandPlan plan_pool_edit(const std::string& pool, const json& arguments) {
    check_fields(arguments, false);
    Commands changes;
    add_flags(arguments, pool, changes);
    add_quotas(arguments, pool, changes);
    add_variables(arguments, pool, false, changes);
    if (find(arguments, "pool"))
        if (auto name = pool_name(arguments); name != pool)
            changes.push_back({{"prefix", "osd pool rename"}, {"srcpool", pool}, {"destpool", std::move(name)}});

    // Asked even where no application is to change: it tells whether there is such a pool.
    json look{{"prefix", "osd pool application get"}, {"pool", pool}, {"format", "json"}};
    const auto* applications = find(arguments, "application_metadata");
    if (!applications) {
        changes.insert(changes.begin(), std::move(look));
        return {std::move(changes)};
    }
    auto wanted = texts(*applications, "application_metadata");
    return {{std::move(look)}, [pool, wanted = std::move(wanted), changes = std::move(changes)](const json& answer) {
                auto commands = application_changes(pool, wanted, answer);
                commands.insert(commands.end(), changes.begin(), changes.end());
                return commands;
            }};
}

ceph::CommandPlan plan_pool_delete(const std::string& pool) {
    return {{{{"prefix", "osd pool delete"}, {"pool", pool}, {"pool2", pool}, {"yes_i_really_really_mean_it", true}}}};
}

}  // namespace taskd::api
