#include "rbd/copy_source.hpp"

#include "rbd/error.hpp"
#include "rbd/layout_arguments.hpp"

#include <cerrno>

#include <rbd/features.h>

namespace taskd::rbd {
namespace {

/// Those that are decided at creation; the others follow from the rest or from what happens to an image.
constexpr std::uint64_t inherited_features = RBD_FEATURE_LAYERING | RBD_FEATURE_EXCLUSIVE_LOCK |
                                             RBD_FEATURE_OBJECT_MAP | RBD_FEATURE_FAST_DIFF | RBD_FEATURE_DEEP_FLATTEN |
                                             RBD_FEATURE_JOURNALING;

}  // namespace

void decode_copy_source(const Arguments& fields, nlohmann::json& result) {
    decode_image(fields, result);
    // Empty means "not given" for the dashboard.
    if (const auto name = fields.optional_text("snapshot_name"); name && !name->empty()) {
        check_existing_name(*name, "snapshot_name");
        result["snapshot_name"] = *name;
    }
}

CopySource::CopySource(OperationContext& context, const nlohmann::json& arguments)
    : work_(context, arguments),
      asked_(layout_of(arguments)),
      snapshot_(arguments.value("snapshot_name", std::string{})),
      image_(open()),
      size_bytes_(image_.size_bytes()) {}

Image CopySource::open() {
    work_.find();
    auto image = work_.open(Image::Mode::read_only);
    if (snapshot_.empty()) return image;
    const auto setting =
        "error setting image " + python_bytes(image.name()) + " to snapshot " + python_bytes(snapshot_);
    if (!image.find_snapshot(snapshot_)) throw rbd_error(-ENOENT, setting);
    if (const int rc = rbd_snap_set(image.handle(), snapshot_.c_str()); rc < 0) throw rbd_error(rc, setting);
    return image;
}

ImageLayout CopySource::layout() const {
    auto layout = asked_;
    layout.size_bytes = size_bytes_;
    if (!layout.features) layout.features = image_.features() & inherited_features;
    if (layout.order || layout.stripe_unit || layout.stripe_count) return layout;
    layout.order = image_.order();
    if (image_.stripe_count() > 1) {
        layout.stripe_unit = image_.stripe_unit();
        layout.stripe_count = image_.stripe_count();
    }
    return layout;
}

std::string CopySource::copying(const ImageSpec& destination) const {
    return "error copying image " + python_bytes(image_.name()) + " to " + python_bytes(destination.name);
}

void CopySource::check_still_there(std::string_view doing) const {
    const auto now = open_target(work_.pool(), work_.target(), Image::Mode::read_only);
    if (!now) throw rbd_error(-ENOENT, doing, "the source was removed while it was copied");
    if (!snapshot_.empty() && !now->find_snapshot(snapshot_))
        throw rbd_error(-ENOENT, doing, "the snapshot was removed while it was copied");
}

}  // namespace taskd::rbd
