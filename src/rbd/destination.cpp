#include "rbd/destination.hpp"

#include "rbd/configuration.hpp"
#include "rbd/directory.hpp"
#include "rbd/error.hpp"
#include "rbd/half_removed.hpp"
#include "rbd/image.hpp"
#include "rbd/image_target.hpp"
#include "rbd/image_work.hpp"
#include "rbd/layout_arguments.hpp"
#include "rbd/pool.hpp"

#include <cerrno>
#include <utility>

namespace taskd::rbd {
namespace {

/// Goes on also when the task is to stop: this is how it does.
int go_on(std::uint64_t, std::uint64_t, void*) noexcept {
    return 0;
}

int drop(const Snapshot& snapshot, const Image& image) {
    if (snapshot.type != RBD_SNAP_NAMESPACE_TYPE_USER) return rbd_snap_remove_by_id(image.handle(), snapshot.id);
    return rbd_snap_remove2(image.handle(), snapshot.name.c_str(),
                            snapshot.is_protected ? RBD_SNAP_REMOVE_UNPROTECT : 0, go_on, nullptr);
}

}  // namespace

void decode_destination(const Arguments& fields, const nlohmann::json& given, nlohmann::json& result) {
    for (const auto* field : {"dest_pool_name", "dest_image_name"}) result[field] = fields.text(field);
    check_existing_name(result["dest_pool_name"].get_ref<const std::string&>(), "dest_pool_name");
    check_new_name(result["dest_image_name"].get_ref<const std::string&>(), "dest_image_name");
    if (!given.contains("dest_namespace")) throw BadRequest("dest_namespace", "is required, and may be null");
    result["dest_namespace"] = decode_namespace(fields, "dest_namespace");
}

ImageSpec destination_of(const nlohmann::json& arguments) {
    const auto& ns = arguments.at("dest_namespace");
    return {arguments.at("dest_pool_name"), ns.is_null() ? std::string{} : ns.get<std::string>(),
            arguments.at("dest_image_name")};
}

nlohmann::json metadata_of_copy(const nlohmann::json& arguments) {
    return {{"src_image_spec", arguments.at("image_spec")},
            {"dest_pool_name", arguments.at("dest_pool_name")},
            {"dest_namespace", arguments.at("dest_namespace")},
            {"dest_image_name", arguments.at("dest_image_name")}};
}

Touches touches_of_copy(const nlohmann::json& arguments) {
    const auto destination = destination_of(arguments);
    Touches touches{destination.pool, {destination.format()}};
    if (auto source = image_spec_of(arguments).format(); source != touches.images.front())
        touches.images.push_back(std::move(source));
    return touches;
}

Destination::Destination(OperationContext& context, ImageSpec spec, std::string doing)
    : context_(context),
      spec_(std::move(spec)),
      doing_(std::move(doing)),
      working_name_("taskd-copy-" + context.task_id()),
      io_(context.cluster().open_ioctx(spec_.pool, spec_.ns)) {}

bool Destination::check(const ImageLayout& layout, const nlohmann::json& configuration) {
    reopen_if_replaced(context_.cluster(), spec_, io_);
    check_pools(context_.cluster(), pool(), spec_, layout);
    check_configuration(pool(), configuration, spec_.name);
    bool exists = true;
    if (!spec_.ns.empty() && rbd_namespace_exists(pool(), spec_.ns.c_str(), &exists) == 0 && !exists)
        throw rbd_error(-ENOENT, doing_,
                        "namespace '" + shown(spec_.ns) + "' does not exist in pool '" + shown(spec_.pool) + "'");
    free_half_removed(context_, pool(), spec_.name, doing_);
    if (const auto image = Image::open(pool(), spec_.name, Image::Mode::read_only)) {
        const bool is_ours =
            context_.is_repeated() && !id_of_image(pool(), working_name_) && has_layout(*image, pool(), layout);
        if (is_ours) return true;
        throw rbd_error(-EEXIST, doing_);
    }
    if (id_of_image(pool(), spec_.name)) throw rbd_error(-EEXIST, doing_, "an image of that name is half made");
    return false;
}

int Destination::remove_working() {
    {
        const auto image = Image::open(pool(), working_name_, Image::Mode::read_write);
        const auto snapshots = image ? image->snapshots() : std::vector<Snapshot>{};
        for (const auto& snapshot : snapshots)
            if (const int rc = drop(snapshot, *image); rc < 0) return rc;
    }
    int rc = rbd_remove(pool(), working_name_.c_str());
    // An earlier attempt may have died while it removed it.
    if (const auto rest = half_removed_image(pool(), working_name_); rc == -ENOENT && rest)
        rc = remove_rest(pool(), rest->id, working_name_);
    return rc == -ENOENT ? 0 : rc;
}

void Destination::clear() {
    if (!context_.is_repeated()) return;
    context_.step("remove what an earlier attempt made");
    if (const auto image = Image::open(pool(), working_name_, Image::Mode::read_only)) watchers_alive(context_, *image);
    if (const int rc = remove_working(); rc < 0)
        throw rbd_error(rc, removing_image, "image '" + working_name_ + "', which an earlier attempt began");
}

void Destination::publish() {
    context_.step("give it its name");
    const int rc = rbd_rename(pool(), working_name_.c_str(), spec_.name.c_str());
    if (rc == -EEXIST) throw rbd_error(rc, doing_, "somebody else has made an image of that name meanwhile");
    if (rc < 0) throw rbd_error(rc, doing_, "it is made, but cannot get its name");
}

void Destination::discard(const Error& reason) {
    context_.step("remove what was made");
    const int rc = remove_working();
    if (rc >= 0) throw Error(reason);
    throw Error(reason.kind(), reason.errno_value(), reason.component(),
                std::string(reason.what()) + "; what was made stays as image '" + working_name_ +
                    "', for it could not be removed: " + rbd_error(rc, removing_image).what(),
                reason.extra());
}

}  // namespace taskd::rbd
