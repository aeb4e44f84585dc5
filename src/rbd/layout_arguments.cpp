#include "rbd/layout_arguments.hpp"

#include "rbd/configuration.hpp"
#include "rbd/features.hpp"
#include "rbd/image_spec.hpp"

#include <cstdint>
#include <optional>
#include <vector>

#include <taskd/error.hpp>

namespace taskd::rbd {
namespace {

using nlohmann::json;

std::vector<std::string> split(const std::string& text, char separator) {
    std::vector<std::string> parts;
    for (std::size_t begin = 0, end = 0; end != std::string::npos; begin = end + 1) {
        end = text.find(separator, begin);
        parts.push_back(text.substr(begin, end - begin));
    }
    return parts;
}

std::string trimmed(const std::string& text) {
    const auto begin = text.find_first_not_of(' ');
    return begin == std::string::npos ? std::string{} : text.substr(begin, text.find_last_not_of(' ') - begin + 1);
}

/// A list or a text of names separated by commas, as a list of names ordered by bit.
json feature_list(const json& given, std::string_view field) {
    std::uint64_t mask = 0;
    const auto add = [&mask, field](const std::string& name) {
        const auto bit = feature_bit(name);
        if (!bit) throw BadRequest(field, "unknown feature '" + shown(name) + "'");
        mask |= *bit;
    };
    if (given.is_string() && !trimmed(given.get<std::string>()).empty()) {
        for (const auto& name : split(given.get<std::string>(), ',')) add(trimmed(name));
    } else if (given.is_array()) {
        for (const auto& name : given) {
            if (!name.is_string()) throw BadRequest(field, "expected a list of names");
            add(name.get<std::string>());
        }
    } else if (!given.is_string()) {
        throw BadRequest(field, "expected a list of names");
    }
    return feature_names(mask);
}

template <typename T>
std::optional<T> member(const json& arguments, const char* name) {
    const auto found = arguments.find(name);
    return found == arguments.end() ? std::nullopt : std::optional(found->get<T>());
}

}  // namespace

void decode_layout(const Arguments& fields, json& result) {
    // Zero means "not given" for the dashboard.
    if (const auto size = fields.optional_number("obj_size"); size.value_or(0) > 0) result["obj_size"] = *size;
    for (const auto* field : {"stripe_unit", "stripe_count"})
        if (const auto number = fields.optional_number(field)) result[field] = *number;
    if (const auto pool = fields.optional_text("data_pool"); pool && !pool->empty()) {
        check_existing_name(*pool, "data_pool");
        result["data_pool"] = *pool;
    }
    decode_features_and_configuration(fields, result);
}

void decode_features_and_configuration(const Arguments& fields, json& result) {
    decode_features(fields, "features", result);
    if (const auto* options = fields.find("configuration"))
        if (auto configuration = decode_configuration(*options, "configuration"); !configuration.empty())
            result["configuration"] = std::move(configuration);
}

void decode_features(const Arguments& fields, const char* field, json& result) {
    if (const auto* features = fields.find(field)) result[field] = feature_list(*features, field);
}

std::optional<std::uint64_t> features_of(const json& arguments, const char* field) {
    const auto names = member<std::vector<std::string>>(arguments, field);
    if (!names) return std::nullopt;
    std::uint64_t mask = 0;
    for (const auto& name : *names) mask |= feature_bit(name).value_or(0);
    return mask;
}

ImageLayout layout_of(const json& arguments) {
    ImageLayout layout{.size_bytes = arguments.value("size", std::uint64_t{0}),
                       .order = std::nullopt,
                       .features = features_of(arguments, "features"),
                       .stripe_unit = member<std::uint64_t>(arguments, "stripe_unit"),
                       .stripe_count = member<std::uint64_t>(arguments, "stripe_count"),
                       .data_pool = member<std::string>(arguments, "data_pool")};
    if (const auto size = member<std::uint64_t>(arguments, "obj_size")) layout.order = order_for(*size);
    return layout;
}

json decode_namespace(const Arguments& fields, std::string_view field) {
    const auto ns = fields.optional_text(field);
    if (!ns) return nullptr;
    if (ns->find_first_of(std::string_view("/\0", 2)) != std::string::npos)
        throw BadRequest(field, "must not contain '/' or a NUL byte");
    return *ns;
}

void check_existing_name(const std::string& name, std::string_view field) {
    if (name.find('\0') != std::string::npos) throw BadRequest(field, "must not contain a NUL byte");
}

}  // namespace taskd::rbd
