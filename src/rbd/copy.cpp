#include "rbd/copy_data.hpp"
#include "rbd/copy_source.hpp"
#include "rbd/destination.hpp"
#include "rbd/error.hpp"
#include "rbd/image_metadata.hpp"
#include "rbd/layout_arguments.hpp"
#include "rbd/progress.hpp"

#include <cerrno>

#include <taskd/error.hpp>

/// `rbd/copy`: the data and the metadata of an image, or of one of its snapshots, as a new image without history.
namespace taskd::rbd {
namespace {

using nlohmann::json;

json decode_copy(const json& given, const Limits&) {
    const Arguments fields(
        given, {"image_spec", "image_id", "snapshot_name", "dest_pool_name", "dest_namespace", "dest_image_name",
                "obj_size", "features", "stripe_unit", "stripe_count", "data_pool", "configuration"});
    json result = json::object();
    decode_copy_source(fields, result);
    decode_destination(fields, given, result);
    decode_layout(fields, result);
    return result;
}

void copy_metadata(const Image& from, Image& to) {
    for (const auto& [key, value] : metadata_of(from)) to.set_metadata(key, value);
}

void fill(OperationContext& context, const CopySource& source, const Destination& destination,
          const json& configuration) {
    auto target = Image::open(destination.pool(), destination.working_name(), Image::Mode::read_write);
    if (!target) throw rbd_error(-ENOENT, destination.doing(), "somebody has removed it while it was made");
    context.step("copy");
    const auto size = source.size_bytes();
    Progress progress(context, size);
    progress.begin_part(size);
    copy_data(source.image(), *target, size, progress, destination.doing());
    progress.end_part();
    context.step("copy metadata");
    copy_metadata(source.image(), *target);
    json before = json::object();
    change_configuration(*target, configuration, before);
    source.check_still_there(destination.doing());
}

json run_copy(OperationContext& context, const json& arguments) {
    const auto configuration = arguments.value("configuration", json::object());
    const CopySource source(context, arguments);
    const auto spec = destination_of(arguments);
    Destination destination(context, spec, source.copying(spec));
    const auto layout = source.layout();
    context.step("check");
    if (destination.check(layout, configuration)) return nullptr;
    if (context.stop_requested()) throw rbd_error(-ECANCELED, destination.doing(), "nothing was made");
    destination.clear();
    context.step("create image");
    if (const int rc = create_image(destination.pool(), destination.working_name(), layout); rc < 0)
        throw rbd_error(rc, destination.doing(), explain_failure(rc, destination.pool(), spec, layout));
    try {
        fill(context, source, destination, configuration);
        destination.publish();
    } catch (const Error& error) {
        destination.discard(error);
    }
    return nullptr;
}

}  // namespace

const Operation copy_operation{
    .name = "rbd/copy",
    .wait_for = std::chrono::seconds(2),
    .permission = {"rbd-image", Access::create},
    .decode = decode_copy,
    .metadata = metadata_of_copy,
    .touches = touches_of_copy,
    .run = run_copy,
    .interrupted = "what was copied is removed and copied anew; an image of the name and the layout counts as made",
    .bound_image = image_spec_of,
    .left_behind = half_made,
};

}  // namespace taskd::rbd
