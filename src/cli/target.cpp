#include "cli/target.hpp"

#include "http/uri.hpp"

#include <algorithm>
#include <vector>

#include <nlohmann/json.hpp>
#include <taskd/error.hpp>

namespace taskd::cli {
namespace {

std::vector<std::string> split(std::string_view text, char separator) {
    std::vector<std::string> parts;
    for (;;) {
        const std::size_t end = text.find(separator);
        parts.emplace_back(text.substr(0, end));
        if (end == std::string_view::npos) return parts;
        text.remove_prefix(end + 1);
    }
}

/// Takes an option into a part of the spec; both may be given only when they agree.
void merge(std::string& part, std::string_view option, std::string_view name) {
    if (option.empty()) return;
    if (!part.empty() && part != option) {
        throw BadRequest(name, "'" + std::string(option) + "' contradicts '" + part + "' in the image spec");
    }
    part = option;
}

std::string member(const nlohmann::json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::string joined(std::string_view pool, std::string_view name_space, std::string_view image) {
    std::string text(pool);
    if (!name_space.empty()) text.append("/").append(name_space);
    return text.append("/").append(image);
}

}  // namespace

std::string path_parameter(std::string_view text) {
    std::string encoded = http::percent_encode(text);
    return text.find('%') == std::string_view::npos ? encoded : http::percent_encode(encoded);
}

std::string ImageSpec::text() const {
    return joined(pool, name_space, image);
}

ImageSpec image_spec(std::string_view spec, std::string_view pool, std::string_view name_space,
                     std::string_view image) {
    ImageSpec result;
    if (!spec.empty()) {
        std::vector<std::string> parts = split(spec, '/');
        if (parts.size() > 3 || std::ranges::any_of(parts, [](const auto& part) { return part.empty(); })) {
            throw BadRequest("image spec", "'" + std::string(spec) + "' is not [<pool>/[<namespace>/]]<image>");
        }
        result.image = std::move(parts.back());
        if (parts.size() > 1) result.pool = std::move(parts.front());
        if (parts.size() > 2) result.name_space = std::move(parts[1]);
    }
    merge(result.pool, pool, "--pool");
    merge(result.name_space, name_space, "--namespace");
    merge(result.image, image, "--image");
    if (result.image.empty()) throw BadRequest("image spec", "no image is named");
    if (result.pool.empty()) result.pool = "rbd";  // the default of rbd_default_pool
    for (const std::string* part : {&result.pool, &result.name_space, &result.image}) {
        if (part->find('/') != std::string::npos) throw BadRequest("image spec", "'" + *part + "' contains a slash");
    }
    return result;
}

bool looks_like_task_id(std::string_view text) {
    return text.size() == 26 &&
           std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'); });
}

std::string task_subject(const nlohmann::json& metadata) {
    if (!metadata.is_object()) return metadata.is_null() ? std::string() : metadata.dump();
    for (const char* key : {"image_spec", "image_id_spec", "parent_image_spec", "src_image_spec"}) {
        if (std::string spec = member(metadata, key); !spec.empty()) {
            const std::string snapshot = member(metadata, "snapshot_name");
            return snapshot.empty() ? spec : spec + "@" + snapshot;
        }
    }
    if (const std::string image = member(metadata, "image_name"); !image.empty()) {
        return joined(member(metadata, "pool_name"), member(metadata, "namespace"), image);
    }
    if (std::string prefix = member(metadata, "prefix"); !prefix.empty()) return prefix;
    if (const auto command = metadata.find("command"); command != metadata.end() && command->is_object()) {
        if (std::string prefix = member(*command, "prefix"); !prefix.empty()) return prefix;
    }
    std::string text;
    for (const auto& [key, value] : metadata.items()) {
        if (value.is_null() || (value.is_string() && value.get_ref<const std::string&>().empty())) continue;
        if (!text.empty()) text += ' ';
        text += key + '=';
        text += value.is_string() ? value.get<std::string>()
                                  : value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    }
    return text;
}

}  // namespace taskd::cli
