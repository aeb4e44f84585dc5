#include "ceph/cluster.hpp"
#include "rbd/arguments.hpp"
#include "rbd/configuration.hpp"
#include "rbd/create_image.hpp"
#include "rbd/error.hpp"
#include "rbd/half_removed.hpp"
#include "rbd/image.hpp"
#include "rbd/image_spec.hpp"
#include "rbd/layout_arguments.hpp"
#include "rbd/mirroring_arguments.hpp"
#include "rbd/operation.hpp"
#include "rbd/pool.hpp"
#include "rbd/snapshot_schedule.hpp"

#include <cerrno>
#include <string>

#include <rbd/librbd.h>
#include <taskd/error.hpp>

/// `rbd/create`. The image is made by one librbd call, which is not atomic: a process that dies within it leaves a name
/// without a header, which can be neither opened nor made again. What comes after it (configuration, mirroring, its
/// schedule) is checked before the image is made, and the image is removed again when it fails nevertheless.
namespace taskd::rbd {
namespace {

using nlohmann::json;

// ---- arguments

json decode_create(const json& given, const Limits& limits) {
    const Arguments fields(
        given, {"name", "pool_name", "size", "namespace", "schedule_interval", "obj_size", "features", "stripe_unit",
                "stripe_count", "data_pool", "configuration", "mirror_mode"});
    json result = {{"name", fields.text("name")}, {"pool_name", fields.text("pool_name")}};
    check_new_name(result["name"].get_ref<const std::string&>(), "name");
    check_existing_name(result["pool_name"], "pool_name");
    result["size"] = fields.number("size", true, limits.image_size_bytes);
    result["namespace"] = decode_namespace(fields, "namespace");
    decode_layout(fields, result);
    if (const auto mode = decode_mirror_mode(fields)) result["mirror_mode"] = *mode;
    if (const auto interval = decode_schedule_interval(fields)) {
        if (result.value("mirror_mode", "") != "snapshot")
            throw BadRequest("schedule_interval", R"(only with "mirror_mode": "snapshot")");
        result["schedule_interval"] = *interval;
    }
    return result;
}

ImageSpec spec_of(const json& arguments) {
    const auto& ns = arguments.at("namespace");
    return {arguments.at("pool_name"), ns.is_null() ? std::string{} : ns.get<std::string>(), arguments.at("name")};
}

json metadata_of_create(const json& arguments) {
    return {{"pool_name", arguments.at("pool_name")},
            {"namespace", arguments.at("namespace")},
            {"image_name", arguments.at("name")}};
}

Touches touches_of_create(const json& arguments) {
    return {arguments.at("pool_name"), {spec_of(arguments).format()}};
}

// ---- the work

/// One run of the operation.
class Creation {
  public:
    Creation(OperationContext& context, const json& arguments)
        : context_(context),
          spec_(spec_of(arguments)),
          layout_(layout_of(arguments)),
          configuration_(arguments.value("configuration", json::object())),
          mirror_mode_(arguments.value("mirror_mode", std::string{})),
          schedule_interval_(arguments.value("schedule_interval", std::string{})),
          io_(context.cluster().open_ioctx(spec_.pool, spec_.ns)) {}

    void run() {
        try {
            make();
        } catch (const Error& error) {
            if (error.errno_value() != ENOENT || !reopen_if_replaced(context_.cluster(), spec_, io_)) throw;
            make();
        }
    }

  private:
    void make() {
        context_.step("check");
        check();
        context_.step("create image");
        const bool is_ours = create() || adopt();
        try {
            furnish();
        } catch (const Error& error) {
            // An image that we only found may hold somebody's data.
            if (is_ours) roll_back(error);
            throw;
        }
    }

    void check() {
        check_pools(context_.cluster(), io_.handle(), spec_, layout_);
        check_configuration(io_.handle(), configuration_, spec_.name);
        check_mirroring();
        free_half_removed(context_, io_.handle(), spec_.name, creating_image);
        if (context_.stop_requested()) throw rbd_error(-ECANCELED, creating_image, "nothing was made");
    }

    void check_mirroring() {
        rbd_mirror_mode_t mode = RBD_MIRROR_MODE_DISABLED;
        if (mirror_mode_.empty()) return;
        if (const int rc = rbd_mirror_mode_get(io_.handle(), &mode); rc < 0)
            throw rbd_error(rc, "error getting mirror mode");
        if (mode == RBD_MIRROR_MODE_DISABLED)
            throw rbd_error(-EINVAL, "error enabling mirroring for image " + python_bytes(spec_.name),
                            "mirroring of pool '" + shown(spec_.pool) + "' is disabled");
    }

    /// @returns false when an attempt after an interrupted one finds the name taken.
    bool create() {
        const int rc = create_image(io_.handle(), spec_.name, layout_);
        if (rc == -EEXIST && context_.is_repeated()) return false;
        if (rc < 0) throw rbd_error(rc, creating_image, explain_failure(rc, io_.handle(), spec_, layout_));
        return true;
    }

    /// Takes an image that is there already for what an earlier attempt made, or clears what cannot be opened and makes
    /// it anew.
    /// @returns whether this attempt made it
    bool adopt() {
        context_.step("look at the image that is there");
        if (const auto image = Image::open(io_.handle(), spec_.name, Image::Mode::read_only)) {
            if (!has_layout(*image, io_.handle(), layout_)) throw rbd_error(-EEXIST, creating_image);
            return false;
        }
        context_.step("clear the half-made image");
        const int rc = rbd_remove(io_.handle(), spec_.name.c_str());
        // librbd answers ENOENT, though it clears it, when only the object that holds the id was made.
        if (rc < 0 && rc != -ENOENT) throw rbd_error(rc, removing_image);
        context_.step("create image");
        if (const int again = create_image(io_.handle(), spec_.name, layout_); again < 0)
            throw rbd_error(again, creating_image);
        return true;
    }

    void furnish() {
        if (configuration_.empty() && mirror_mode_.empty()) return;
        auto image = Image::open(io_.handle(), spec_.name, Image::Mode::read_write);
        if (!image) throw rbd_error(-ENOENT, "error opening image " + python_bytes(spec_.name) + " at snapshot None");
        if (!configuration_.empty()) context_.step("set configuration");
        apply_configuration(*image, configuration_);
        if (mirror_mode_.empty()) return;
        context_.step("enable mirroring");
        if (!context_.is_repeated() || !image->is_mirrored())
            image->enable_mirroring(mirror_mode_ == "journal" ? RBD_MIRROR_IMAGE_MODE_JOURNAL
                                                              : RBD_MIRROR_IMAGE_MODE_SNAPSHOT);
        if (schedule_interval_.empty()) return;
        context_.step("schedule snapshots");
        SnapshotSchedule(context_, spec_).add({schedule_interval_, {}});
    }

    void roll_back(const Error& reason) {
        context_.step("remove the image again");
        if (const int rc = rbd_remove(io_.handle(), spec_.name.c_str()); rc < 0 && rc != -ENOENT)
            throw Error(reason.kind(), reason.errno_value(), reason.component(),
                        std::string(reason.what()) + "; the image was made and could not be removed again: " +
                            rbd_error(rc, removing_image).what());
    }

    OperationContext& context_;
    ImageSpec spec_;
    ImageLayout layout_;
    json configuration_;
    std::string mirror_mode_;
    std::string schedule_interval_;
    ceph::Ioctx io_;
};

json run_create(OperationContext& context, const json& arguments) {
    Creation(context, arguments).run();
    return nullptr;
}

}  // namespace

const Operation create_operation{
    .name = "rbd/create",
    .wait_for = std::chrono::seconds(2),
    .permission = {"rbd-image", Access::create},
    .decode = decode_create,
    .metadata = metadata_of_create,
    .touches = touches_of_create,
    .run = run_create,
    .interrupted =
        "an image of that name with the size and layout asked for counts as made, a half-made one is made anew",
};

}  // namespace taskd::rbd
