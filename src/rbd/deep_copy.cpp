#include "rbd/copy_source.hpp"
#include "rbd/destination.hpp"
#include "rbd/error.hpp"
#include "rbd/image_metadata.hpp"
#include "rbd/layout_arguments.hpp"
#include "rbd/progress.hpp"

#include <cerrno>

#include <taskd/error.hpp>

/// `rbd/deep_copy`: an image with its snapshots and, unless it is flattened, its tie to its parent. librbd does it in
/// one call that cannot be stopped; a stop takes effect before it.
namespace taskd::rbd {
namespace {

using nlohmann::json;

json decode_deep_copy(const json& given, const Limits&) {
    const Arguments fields(
        given, {"image_spec", "image_id", "snapshot_name", "dest_pool_name", "dest_namespace", "dest_image_name",
                "obj_size", "features", "stripe_unit", "stripe_count", "data_pool", "configuration", "flatten"});
    json result = json::object();
    decode_copy_source(fields, result);
    decode_destination(fields, given, result);
    decode_layout(fields, result);
    result["flatten"] = fields.optional_flag("flatten").value_or(false);
    return result;
}

void copy_deep(OperationContext& context, const CopySource& source, const Destination& destination,
               const ImageLayout& layout, bool flatten) {
    const auto options = image_options(layout);
    if (flatten) rbd_image_options_set_uint64(options.get(), RBD_IMAGE_OPTION_FLATTEN, 1);
    const auto objects = source.image().object_count();
    Progress progress(context, objects);
    progress.begin_part(objects);
    context.step("deep copy");
    const int rc =
        rbd_deep_copy_with_progress(source.image().handle(), destination.pool(), destination.working_name().c_str(),
                                    options.get(), Progress::callback, &progress);
    if (rc < 0)
        throw rbd_error(rc, destination.doing(), explain_failure(rc, destination.pool(), destination.spec(), layout));
    progress.end_part();
    source.check_still_there(destination.doing());
}

void configure(OperationContext& context, const Destination& destination, const json& configuration) {
    if (configuration.empty()) return;
    context.step("set configuration");
    auto target = Image::open(destination.pool(), destination.working_name(), Image::Mode::read_write);
    if (!target) throw rbd_error(-ENOENT, destination.doing(), "somebody has removed it while it was made");
    json before = json::object();
    change_configuration(*target, configuration, before);
}

json run_deep_copy(OperationContext& context, const json& arguments) {
    const auto configuration = arguments.value("configuration", json::object());
    const CopySource source(context, arguments);
    const auto spec = destination_of(arguments);
    Destination destination(context, spec, source.copying(spec));
    const auto layout = source.layout();
    context.step("check");
    if (destination.check(layout, configuration)) return nullptr;
    if (context.stop_requested()) throw rbd_error(-ECANCELED, destination.doing(), "nothing was made");
    destination.clear();
    try {
        copy_deep(context, source, destination, layout, arguments.at("flatten").get<bool>());
        configure(context, destination, configuration);
        destination.publish();
    } catch (const Error& error) {
        destination.discard(error);
    }
    return nullptr;
}

}  // namespace

const Operation deep_copy_operation{
    .name = "rbd/deep_copy",
    .wait_for = std::chrono::seconds(2),
    .permission = {"rbd-image", Access::create},
    .decode = decode_deep_copy,
    .metadata = metadata_of_copy,
    .touches = touches_of_copy,
    .run = run_deep_copy,
    .interrupted = "what was copied is removed and copied anew; an image of the name and the layout counts as made",
    .bound_image = image_spec_of,
    .left_behind = half_made,
};

}  // namespace taskd::rbd
