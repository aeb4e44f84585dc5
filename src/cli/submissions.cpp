#include "cli/submissions.hpp"

#include "cli/size.hpp"
#include "cli/target.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <taskd/error.hpp>

namespace taskd::cli {
namespace {

// rbd's names. The dashboard's API ignores a name it does not know and creates an image without that feature, so a
// misspelling must not get there.
constexpr std::array<std::string_view, 10> known_features{"layering",   "striping",   "exclusive-lock", "object-map",
                                                          "fast-diff",  "journaling", "deep-flatten",   "data-pool",
                                                          "operations", "migrating"};

std::uint64_t object_size(const std::string& text) {
    const std::uint64_t size = parse_size("--object-size", text, byte_unit);
    if (size < 4096 || size > 32 * mebibyte_unit) {
        throw BadRequest("--object-size", "'" + text + "' is not between 4K and 32M");
    }
    return size;
}

std::uint64_t count(std::string_view option, const std::string& text) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size() || number == 0) {
        throw BadRequest(option, "'" + text + "' is not a positive whole number");
    }
    return number;
}

nlohmann::json configuration_object(const std::vector<std::string>& settings) {
    nlohmann::json object = nlohmann::json::object();
    for (const std::string& setting : settings) {
        const std::size_t equals = setting.find('=');
        if (equals == std::string::npos || equals == 0) {
            throw BadRequest("--config", "'" + setting + "' is not KEY=VALUE, such as rbd_qos_iops_limit=100");
        }
        object[setting.substr(0, equals)] = setting.substr(equals + 1);
    }
    return object;
}

}  // namespace

nlohmann::json feature_list(std::string_view option, const std::vector<std::string>& features) {
    nlohmann::json list = nlohmann::json::array();
    for (const std::string& feature : features) {
        if (std::ranges::find(known_features, feature) == known_features.end()) {
            throw BadRequest(option, "'" + feature +
                                         "' is not one of layering, exclusive-lock, object-map, fast-diff, "
                                         "deep-flatten, journaling, striping");
        }
        list.push_back(feature);
    }
    return list;
}

nlohmann::json layout_members(const CreateArguments& arguments) {
    nlohmann::json body = nlohmann::json::object();
    if (!arguments.object_size.empty()) body["obj_size"] = object_size(arguments.object_size);
    if (!arguments.features.empty()) body["features"] = feature_list("--image-feature", arguments.features);
    if (arguments.stripe_unit.empty() != arguments.stripe_count.empty()) {
        throw BadRequest("--stripe-unit", "needs --stripe-count, and the other way round");
    }
    if (!arguments.stripe_unit.empty()) {
        body["stripe_unit"] = parse_size("--stripe-unit", arguments.stripe_unit, byte_unit);
        body["stripe_count"] = count("--stripe-count", arguments.stripe_count);
    }
    if (!arguments.data_pool.empty()) body["data_pool"] = arguments.data_pool;
    if (!arguments.configuration.empty()) body["configuration"] = configuration_object(arguments.configuration);
    return body;
}

Submission create_image(const CreateArguments& arguments) {
    const ImageSpec spec = image_spec(arguments.spec, arguments.pool, arguments.name_space, arguments.image);
    nlohmann::json body{{"name", spec.image}, {"pool_name", spec.pool}};
    body["size"] = parse_size("--size", arguments.size, mebibyte_unit);
    if (!spec.name_space.empty()) body["namespace"] = spec.name_space;
    body.update(layout_members(arguments));
    return {.method = "POST", .target = "/api/block/image", .body = body, .label = "rbd create " + spec.text()};
}

Submission remove_image(std::string_view spec, std::string_view pool, std::string_view name_space,
                        std::string_view image, bool purge_snapshots, std::string_view id) {
    const std::string text = image_spec(spec, pool, name_space, image).text();
    std::string target = "/api/block/image/" + path_parameter(text) + (purge_snapshots ? "" : "?snapshots=refuse");
    if (!id.empty()) target.append(purge_snapshots ? "?" : "&").append("image_id=").append(path_parameter(id));
    return {.method = "DELETE", .target = std::move(target), .label = "rbd rm " + text};
}

Submission cluster_command(const std::string& target, const std::vector<std::string>& words) {
    nlohmann::json body = nlohmann::json::object();
    if (!target.empty()) body["target"] = target;
    std::string label = "command";
    if (words.size() == 1 && words.front().starts_with('{')) {
        body["command"] = nlohmann::json::parse(words.front(), nullptr, false);
        if (!body["command"].is_object()) throw BadRequest("command", "is not a JSON object: " + words.front());
        const auto prefix = body["command"].find("prefix");
        if (prefix == body["command"].end() || !prefix->is_string()) {
            throw BadRequest("command", "has no \"prefix\", such as {\"prefix\": \"osd pool ls\"}");
        }
        if (target.empty()) body["target"] = "mon";
        label += ' ' + prefix->get<std::string>();
    } else {
        body["words"] = words;
        for (const std::string& word : words) label += ' ' + word;
    }
    return {.method = "POST", .target = "/api/command", .body = body, .label = label};
}

}  // namespace taskd::cli
