#include "rbd/error.hpp"
#include "rbd/image_arguments.hpp"
#include "rbd/image_work.hpp"
#include "rbd/progress.hpp"
#include "rbd/snapshot_arguments.hpp"

#include <bit>
#include <cerrno>

#include <taskd/error.hpp>

/// `rbd/sparsify`: gives back the space of zeros in an image's objects.
namespace taskd::rbd {
namespace {

using nlohmann::json;

constexpr std::uint64_t least_extent = 4096;
constexpr std::uint64_t most_extent = 32ull << 20;  // of the largest objects
constexpr std::string_view partly_sparsified = "part of the image is sparsified and all of it whole";

json decode_sparsify(const json& given, const Limits&) {
    const Arguments fields(given, {"image_spec", "image_id", "sparse_size"});
    json result = json::object();
    decode_image(fields, result);
    const auto size = fields.optional_number("sparse_size").value_or(least_extent);
    if (size < least_extent || size > most_extent || !std::has_single_bit(size))
        throw BadRequest("sparse_size", "expected a power of two from 4096 to 33554432");
    result["sparse_size"] = size;
    return result;
}

json run_sparsify(OperationContext& context, const json& arguments) {
    const auto extent = arguments.at("sparse_size").get<std::uint64_t>();
    ImageWork work(context, arguments);
    work.find();
    const auto sparsifying = "error sparsifying " + python_bytes(work.target().name);
    context.step("look at the image");
    {
        const auto image = work.open(Image::Mode::read_only);
        if (image.is_mirror_copy())
            throw rbd_error(-EROFS, sparsifying, "it is the copy of a mirrored image: sparsify its primary");
        if (extent > std::uint64_t{1} << image.order())
            throw rbd_error(-EINVAL, sparsifying, "sparse_size: the image's objects are smaller");
    }
    context.step("sparsify");
    work.stop_if_requested(sparsifying, "nothing was changed");
    const auto image = work.open(Image::Mode::read_write);
    const auto objects = image.object_count();
    Progress progress(context, objects);
    progress.begin_part(objects);
    const int rc = rbd_sparsify_with_progress(image.handle(), extent, Progress::callback, &progress);
    if (rc == -ECANCELED) throw rbd_error(rc, sparsifying, partly_sparsified);
    if (rc < 0) throw rbd_error(rc, sparsifying);
    progress.end_part();
    return nullptr;
}

}  // namespace

const Operation sparsify_operation{
    .name = "rbd/sparsify",
    .wait_for = std::chrono::seconds(2),
    .permission = {"rbd-image", Access::update},
    .decode = decode_sparsify,
    .metadata = metadata_of_image,
    .touches = touches_of_image,
    .run = run_sparsify,
    .interrupted = "is done again from the beginning",
    .bound_image = image_spec_of,
    .left_behind = partly_sparsified,
};

}  // namespace taskd::rbd
