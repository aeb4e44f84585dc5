#include "rbd/error.hpp"
#include "rbd/image_work.hpp"
#include "rbd/resize_image.hpp"
#include "rbd/snapshot_arguments.hpp"

#include <taskd/error.hpp>

/// `rbd/resize`: the size of an image alone, for clients that are not the dashboard's.
namespace taskd::rbd {
namespace {

using nlohmann::json;

json decode_resize(const json& given, const Limits& limits) {
    const Arguments fields(given, {"image_spec", "image_id", "size", "allow_shrink"});
    json result = json::object();
    decode_image(fields, result);
    result["size"] = fields.number("size", true, limits.image_size_bytes);
    result["allow_shrink"] = fields.optional_flag("allow_shrink").value_or(false);
    return result;
}

json metadata_of_resize(const json& arguments) {
    return {{"image_spec", arguments.at("image_spec")}, {"size", arguments.at("size")}};
}

json run_resize(OperationContext& context, const json& arguments) {
    const Resize resize{arguments.at("size").get<std::uint64_t>(), arguments.at("allow_shrink").get<bool>()};
    ImageWork work(context, arguments);
    work.find();
    context.step("look at the image");
    check_resize(work.open(Image::Mode::read_only), resize);
    context.step("resize");
    work.stop_if_requested("error resizing image " + python_bytes(work.target().name), "nothing was changed");
    resize_image(context, work.open(Image::Mode::read_write), resize);
    return nullptr;
}

}  // namespace

const Operation resize_operation{
    .name = "rbd/resize",
    .wait_for = std::chrono::seconds(2),
    .permission = {"rbd-image", Access::update},
    .decode = decode_resize,
    .metadata = metadata_of_resize,
    .touches = touches_of_image,
    .run = run_resize,
    .interrupted = "goes on trimming; an image of that size counts as resized",
    .bound_image = image_spec_of,
    .left_behind = partly_shrunk,
};

}  // namespace taskd::rbd
