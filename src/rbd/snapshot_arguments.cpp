#include "rbd/snapshot_arguments.hpp"

#include "rbd/error.hpp"
#include "rbd/image_target.hpp"
#include "rbd/layout_arguments.hpp"

namespace taskd::rbd {

void decode_snapshot(const Arguments& fields, nlohmann::json& result) {
    decode_image(fields, result);
    result["snapshot_name"] = fields.text("snapshot_name");
    check_existing_name(result["snapshot_name"].get_ref<const std::string&>(), "snapshot_name");
}

nlohmann::json metadata_of_snapshot(const nlohmann::json& arguments) {
    return {{"image_spec", arguments.at("image_spec")}, {"snapshot_name", arguments.at("snapshot_name")}};
}

Touches touches_of_image(const nlohmann::json& arguments) {
    const auto spec = image_spec_of(arguments);
    return {spec.pool, {spec.format()}};
}

std::string snapshot_from(const std::string& snapshot, const Image& image) {
    return python_bytes(snapshot) + " from " + python_bytes(image.name());
}

std::string image_at(const std::string& snapshot, const Image& image) {
    return python_bytes(image.name()) + '@' + python_bytes(snapshot);
}

}  // namespace taskd::rbd
