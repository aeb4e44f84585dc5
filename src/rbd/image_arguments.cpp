#include "rbd/image_arguments.hpp"

#include "rbd/image_target.hpp"

namespace taskd::rbd {

nlohmann::json decode_image_only(const nlohmann::json& given, const Limits&) {
    const Arguments fields(given, {"image_spec", "image_id"});
    auto result = nlohmann::json::object();
    decode_image(fields, result);
    return result;
}

nlohmann::json metadata_of_image(const nlohmann::json& arguments) {
    return {{"image_spec", arguments.at("image_spec")}};
}

}  // namespace taskd::rbd
