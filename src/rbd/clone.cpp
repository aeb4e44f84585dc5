#include "rbd/blockers.hpp"
#include "rbd/configuration.hpp"
#include "rbd/create_image.hpp"
#include "rbd/directory.hpp"
#include "rbd/error.hpp"
#include "rbd/features.hpp"
#include "rbd/half_removed.hpp"
#include "rbd/image_work.hpp"
#include "rbd/layout_arguments.hpp"
#include "rbd/pool.hpp"
#include "rbd/snapshot_arguments.hpp"

#include <cerrno>

#include <rbd/features.h>
#include <taskd/error.hpp>

/// `rbd/clone`. librbd makes the child and then ties it to its parent. A process that dies in between leaves an image
/// that looks whole but has no parent and no data: it is cleared by the next attempt, and by nothing else.
namespace taskd::rbd {
namespace {

using nlohmann::json;

constexpr std::string_view cloning = "error creating clone";

// ---- arguments

json decode_clone(const json& given, const Limits&) {
    const Arguments fields(
        given, {"image_spec", "image_id", "snapshot_name", "child_pool_name", "child_namespace", "child_image_name",
                "obj_size", "features", "stripe_unit", "stripe_count", "data_pool", "configuration"});
    json result = json::object();
    decode_snapshot(fields, result);
    for (const auto* field : {"child_pool_name", "child_image_name"}) result[field] = fields.text(field);
    check_existing_name(result["child_pool_name"].get_ref<const std::string&>(), "child_pool_name");
    check_new_name(result["child_image_name"].get_ref<const std::string&>(), "child_image_name");
    result["child_namespace"] = decode_namespace(fields, "child_namespace");
    decode_layout(fields, result);
    if (const auto features = layout_of(result).features; features && (*features & RBD_FEATURE_LAYERING) == 0)
        throw BadRequest("features", "a clone needs layering");
    return result;
}

json metadata_of_clone(const json& arguments) {
    return {{"parent_image_spec", arguments.at("image_spec")},
            {"child_pool_name", arguments.at("child_pool_name")},
            {"child_namespace", arguments.at("child_namespace")},
            {"child_image_name", arguments.at("child_image_name")}};
}

ImageSpec child_of(const json& arguments) {
    const auto& ns = arguments.at("child_namespace");
    return {arguments.at("child_pool_name"), ns.is_null() ? std::string{} : ns.get<std::string>(),
            arguments.at("child_image_name")};
}

Touches touches_of_clone(const json& arguments) {
    const auto child = child_of(arguments);
    return {child.pool, {child.format(), image_spec_of(arguments).format()}};
}

// ---- the work

/// What a child says of its parent.
struct Origin {
    std::string pool;
    std::string ns;
    std::string image_id;
    std::uint64_t snapshot = 0;

    bool operator==(const Origin&) const = default;
};

std::optional<Origin> origin_of(const Image& image) {
    rbd_linked_image_spec_t parent{};
    rbd_snap_spec_t snapshot{};
    const int rc = rbd_get_parent(image.handle(), &parent, &snapshot);
    if (rc == -ENOENT) return std::nullopt;
    if (rc < 0) throw rbd_error(rc, "error getting parent info for image " + python_bytes(image.name()));
    Origin origin{parent.pool_name, parent.pool_namespace, parent.image_id, snapshot.id};
    rbd_linked_image_spec_cleanup(&parent);
    rbd_snap_spec_cleanup(&snapshot);
    return origin;
}

/// Neither data nor snapshots: nothing is lost with it.
bool is_empty(const Image& image) {
    const auto stop_at_first = [](std::uint64_t, std::size_t, int exists, void*) {
        return exists != 0 ? -ENOTEMPTY : 0;
    };
    return image.snapshots().empty() &&
           rbd_diff_iterate2(image.handle(), nullptr, 0, image.size_bytes(), 0, 1, stop_at_first, nullptr) == 0;
}

/// One run of the operation.
class Cloning {
  public:
    Cloning(OperationContext& context, const json& arguments)
        : context_(context),
          parent_(image_spec_of(arguments)),
          parent_id_(arguments.value("image_id", std::string{})),
          snapshot_(arguments.at("snapshot_name").get<std::string>()),
          child_(child_of(arguments)),
          layout_(layout_of(arguments)),
          configuration_(arguments.value("configuration", json::object())),
          parent_io_(context.cluster().open_ioctx(parent_.pool, parent_.ns)),
          child_io_(context.cluster().open_ioctx(child_.pool, child_.ns)) {}

    void run() {
        context_.step("check");
        check_parent();
        fit_stripes();
        check_child();
        if (context_.stop_requested()) throw rbd_error(-ECANCELED, cloning, "nothing was made");
        context_.step("create clone");
        const bool is_ours = create() || adopt();
        try {
            configure();
        } catch (const Error& error) {
            if (is_ours) roll_back(error);
            throw;
        }
    }

  private:
    void check_parent() {
        auto target = find_image(parent_io_.handle(), parent_, parent_id_);
        if (target.state == ImageTarget::State::gone && reopen_if_replaced(context_.cluster(), parent_, parent_io_))
            target = find_image(parent_io_.handle(), parent_, parent_id_);
        std::optional<Image> image;
        if (target.state == ImageTarget::State::named)
            image = open_target(parent_io_.handle(), target, Image::Mode::read_only);
        if (!image)
            throw rbd_error(-ENOENT, cloning,
                            "parent image '" + shown(parent_.format()) + "' does not exist" +
                                (target.why.empty() ? target.why : ": " + target.why));
        const auto snapshot = image->find_snapshot(snapshot_);
        if (!snapshot) throw rbd_error(-ENOENT, cloning, "the parent image has no snapshot '" + shown(snapshot_) + "'");
        if ((image->features() & RBD_FEATURE_LAYERING) == 0)
            throw rbd_error(-EINVAL, cloning, "the parent image lacks the feature layering");
        layout_.size_bytes = snapshot->size_bytes;
        is_protected_ = snapshot->is_protected;
        origin_ = {parent_.pool, parent_.ns, target.id, snapshot->id};
        parent_name_ = std::move(target.name);
    }

    /// librbd takes the parent's stripe unit otherwise, which smaller objects could not hold.
    void fit_stripes() {
        if (!layout_.order || layout_.stripe_unit || layout_.stripe_count) return;
        layout_.stripe_unit = std::uint64_t{1} << *layout_.order;
        layout_.stripe_count = 1;
    }

    void check_child() {
        check_pools(context_.cluster(), child_io_.handle(), child_, layout_);
        check_configuration(child_io_.handle(), configuration_, child_.name);
        free_half_removed(context_, child_io_.handle(), child_.name, cloning);
    }

    int clone() {
        return rbd_clone3(parent_io_.handle(), parent_name_.c_str(), snapshot_.c_str(), child_io_.handle(),
                          child_.name.c_str(), image_options(layout_).get());
    }

    /// @returns false when an attempt after an interrupted one finds the name taken.
    bool create() {
        const int rc = clone();
        if (rc == -EEXIST && context_.is_repeated()) return false;
        if (rc < 0) throw rbd_error(rc, cloning, explain(rc));
        return true;
    }

    std::string explain(int rc) const {
        if (rc == -EINVAL && !is_protected_)
            return "snapshot '" + shown(snapshot_) +
                   "' is not protected: protect it, or let clones be of format 2 (rbd_default_clone_format, or "
                   "`ceph osd set-require-min-compat-client mimic`)";
        if (rc == -EXDEV)
            return "a clone in another namespace than its parent's must be of format 2 (rbd_default_clone_format)";
        return explain_failure(rc, child_io_.handle(), child_, layout_);
    }

    /// Takes a clone that is there already for what an earlier attempt made, or clears what that left half made.
    /// @returns whether this attempt made it
    bool adopt() {
        context_.step("look at the image that is there");
        {
            const auto image = Image::open(child_io_.handle(), child_.name, Image::Mode::read_only);
            if (image) {
                const bool is_alike = has_layout(*image, child_io_.handle(), layout_);
                const auto origin = origin_of(*image);
                if (is_alike && origin == origin_) return false;
                if (!is_alike || origin || !is_empty(*image)) throw rbd_error(-EEXIST, cloning);
            }
        }
        context_.step("clear the half-made clone");
        const int rc = rbd_remove(child_io_.handle(), child_.name.c_str());
        if (rc < 0 && rc != -ENOENT) throw rbd_error(rc, removing_image, "it is a half-made clone");
        context_.step("create clone");
        if (const int again = clone(); again < 0) throw rbd_error(again, cloning, explain(again));
        return true;
    }

    void configure() {
        if (configuration_.empty()) return;
        context_.step("set configuration");
        auto image = Image::open(child_io_.handle(), child_.name, Image::Mode::read_write);
        if (!image) throw rbd_error(-ENOENT, "error opening image " + python_bytes(child_.name) + " at snapshot None");
        apply_configuration(*image, configuration_);
    }

    void roll_back(const Error& reason) {
        context_.step("remove the clone again");
        if (const int rc = rbd_remove(child_io_.handle(), child_.name.c_str()); rc < 0 && rc != -ENOENT)
            throw Error(reason.kind(), reason.errno_value(), reason.component(),
                        std::string(reason.what()) + "; the clone was made and could not be removed again: " +
                            rbd_error(rc, removing_image).what());
    }

    OperationContext& context_;
    ImageSpec parent_;
    std::string parent_id_;    ///< Empty: whoever has the name now.
    std::string parent_name_;  ///< As the pool has it.
    std::string snapshot_;
    ImageSpec child_;
    ImageLayout layout_;
    json configuration_;
    ceph::Ioctx parent_io_;
    ceph::Ioctx child_io_;
    Origin origin_;
    bool is_protected_ = false;
};

json run_clone(OperationContext& context, const json& arguments) {
    Cloning(context, arguments).run();
    return nullptr;
}

}  // namespace

const Operation clone_operation{
    .name = "rbd/clone",
    .wait_for = std::chrono::seconds(2),
    .permission = {"rbd-image", Access::create},
    .decode = decode_clone,
    .metadata = metadata_of_clone,
    .touches = touches_of_clone,
    .run = run_clone,
    .interrupted = "a clone of that snapshot with the layout asked for counts as made, a half-made one is made anew",
    .bound_image = image_spec_of,
};

}  // namespace taskd::rbd
