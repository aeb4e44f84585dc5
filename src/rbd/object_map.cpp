#include "rbd/error.hpp"
#include "rbd/image_arguments.hpp"
#include "rbd/image_work.hpp"
#include "rbd/layout_arguments.hpp"
#include "rbd/progress.hpp"
#include "rbd/snapshot_arguments.hpp"

#include <cerrno>

#include <rbd/features.h>
#include <taskd/error.hpp>

/// `rbd/object_map/rebuild`: makes an invalid object map valid again, by asking for every object. The feature, when it
/// is enabled on an image that has data, begins as invalid; until then usage is not known.
namespace taskd::rbd {
namespace {

using nlohmann::json;

constexpr std::string_view partly_rebuilt = "the object map is not rebuilt and still marked as it was";

json decode_rebuild(const json& given, const Limits&) {
    const Arguments fields(given, {"image_spec", "image_id", "snapshot_name"});
    json result = json::object();
    decode_image(fields, result);
    if (const auto snapshot = fields.optional_text("snapshot_name"); snapshot && !snapshot->empty()) {
        check_existing_name(*snapshot, "snapshot_name");
        result["snapshot_name"] = *snapshot;
    }
    return result;
}

json metadata_of_rebuild(const json& arguments) {
    auto metadata = metadata_of_image(arguments);
    metadata["snapshot_name"] = arguments.value("snapshot_name", json());
    return metadata;
}

/// @throws Error
void look(const Image& image, const std::string& rebuilding) {
    if ((image.features() & RBD_FEATURE_OBJECT_MAP) == 0)
        throw rbd_error(-EINVAL, rebuilding, "the image lacks the feature object-map");
}

void go_to_snapshot(const Image& image, const std::string& name) {
    const int rc = rbd_snap_set(image.handle(), name.c_str());
    if (rc < 0)
        throw rbd_error(rc, "error setting image " + python_bytes(image.name()) + " to snapshot " + python_bytes(name));
}

json run_rebuild(OperationContext& context, const json& arguments) {
    const auto snapshot = arguments.value("snapshot_name", std::string{});
    ImageWork work(context, arguments);
    work.find();
    const auto rebuilding = "error rebuilding object map " + python_bytes(work.target().name);
    context.step("look at the image");
    look(work.open(Image::Mode::read_only), rebuilding);
    context.step("rebuild the object map");
    work.stop_if_requested(rebuilding, "nothing was changed");
    const auto image = work.open(Image::Mode::read_write);
    if (!snapshot.empty()) go_to_snapshot(image, snapshot);
    const auto objects = image.object_count();
    Progress progress(context, objects);
    progress.begin_part(objects);
    const int rc = rbd_rebuild_object_map(image.handle(), Progress::callback, &progress);
    if (rc == -ECANCELED) throw rbd_error(rc, rebuilding, partly_rebuilt);
    if (rc < 0) throw rbd_error(rc, rebuilding);
    progress.end_part();
    return nullptr;
}

}  // namespace

const Operation object_map_rebuild_operation{
    .name = "rbd/object_map/rebuild",
    .wait_for = std::chrono::seconds(2),
    .permission = {"rbd-image", Access::update},
    .decode = decode_rebuild,
    .metadata = metadata_of_rebuild,
    .touches = touches_of_image,
    .run = run_rebuild,
    .interrupted = "is done again from the beginning",
    .bound_image = image_spec_of,
    .left_behind = partly_rebuilt,
};

}  // namespace taskd::rbd
