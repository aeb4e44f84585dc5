#include "rbd/image_target.hpp"

#include "rbd/directory.hpp"

#include <utility>

#include <taskd/error.hpp>

namespace taskd::rbd {
namespace {

using State = ImageTarget::State;

ImageTarget elsewhere(State state, std::string id, std::string name, std::string why) {
    return {state, std::move(id), std::move(name), std::move(why)};
}

/// Never any other than the image of that id.
ImageTarget find_by_id(rados_ioctx_t pool, const ImageSpec& spec, const std::string& id) {
    if (auto name = name_of_image(pool, id)) {
        if (is_meant(spec.name, *name, id)) return {State::named, id, *std::move(name), {}};
        auto why = "the image with the id " + id + " is now named '" + shown(*name) + "'";
        return elsewhere(State::renamed, id, *std::move(name), std::move(why));
    }
    if (auto record = trash_record(pool, id)) {
        if (record->is_being_removed) return {State::half_removed, id, std::move(record->name), {}};
        return elsewhere(State::in_trash, id, std::move(record->name),
                         "the image with the id " + id + " is in the trash");
    }
    return {};
}

ImageTarget find_by_name(rados_ioctx_t pool, const std::string& name) {
    if (auto id = id_of_image(pool, name)) return {State::named, *std::move(id), name, {}};
    if (auto record = half_removed_image(pool, name)) return {State::half_removed, std::move(record->id), name, {}};
    // An image of format 1 has no id.
    if (Image::open(pool, name, Image::Mode::read_only)) return {State::named, {}, name, {}};
    return {};
}

}  // namespace

void decode_image(const Arguments& fields, nlohmann::json& result) {
    result["image_spec"] = fields.text("image_spec");
    ImageSpec::parse(result["image_spec"].get_ref<const std::string&>(), "image_spec");
    if (const auto id = fields.optional_text("image_id")) {
        if (id->empty() || id->find_first_of(std::string_view("/\0", 2)) != std::string::npos)
            throw BadRequest("image_id", "expected an image's id");
        result["image_id"] = *id;
    }
}

ImageSpec image_spec_of(const nlohmann::json& arguments) {
    return ImageSpec::parse(arguments.at("image_spec").get_ref<const std::string&>());
}

ImageTarget find_image(rados_ioctx_t pool, const ImageSpec& spec, const std::string& id) {
    return id.empty() ? find_by_name(pool, spec.name) : find_by_id(pool, spec, id);
}

std::optional<Image> open_target(rados_ioctx_t pool, const ImageTarget& target, Image::Mode mode) {
    return target.id.empty() ? Image::open(pool, target.name, mode) : Image::open_by_id(pool, target.id, mode);
}

}  // namespace taskd::rbd
