#include "rbd/blockers.hpp"
#include "rbd/error.hpp"
#include "rbd/image_work.hpp"
#include "rbd/pool_probe.hpp"
#include "rbd/snapshot_arguments.hpp"

#include <cerrno>

#include <taskd/error.hpp>

/// `rbd/snap/edit`: renames, protects or unprotects. Names are looked at before anything is done; then comes what
/// librbd may refuse, the protection; then the new name. When that fails nevertheless the protection is as it was.
namespace taskd::rbd {
namespace {

using nlohmann::json;

json decode_snap_edit(const json& given, const Limits&) {
    const Arguments fields(given, {"image_spec", "image_id", "snapshot_name", "new_snap_name", "is_protected"});
    json result = json::object();
    decode_snapshot(fields, result);
    // Empty means "not given" for the dashboard.
    if (const auto name = fields.optional_text("new_snap_name"); name && !name->empty()) {
        check_new_name(*name, "new_snap_name");
        result["new_snap_name"] = *name;
    }
    if (const auto is_protected = fields.optional_flag("is_protected")) result["is_protected"] = *is_protected;
    return result;
}

/// One run of the operation.
class SnapshotEdit {
  public:
    SnapshotEdit(OperationContext& context, const json& arguments)
        : context_(context),
          work_(context, arguments),
          name_(arguments.at("snapshot_name").get<std::string>()),
          new_name_(arguments.value("new_snap_name", name_)) {
        if (const auto found = arguments.find("is_protected"); found != arguments.end())
            is_protected_ = found->get<bool>();
    }

    void run() {
        work_.find();
        context_.step("look at the snapshot");
        look();
        if (!renames_ && !changes_protection_) return;
        const auto image = work_.open(Image::Mode::read_write);
        work_.stop_if_requested(renaming(image), "nothing was changed");
        if (changes_protection_) protect(image);
        if (renames_) rename(image);
    }

  private:
    std::string renaming(const Image& image) const {
        return "error renaming snapshot of " + python_bytes(image.name()) + " from " + python_bytes(name_) + " to " +
               python_bytes(new_name_);
    }

    std::string protecting(const Image& image) const {
        return (*is_protected_ ? "error protecting snapshot " : "error unprotecting snapshot ") +
               image_at(name_, image);
    }

    void look() {
        const auto image = work_.open(Image::Mode::read_only);
        renames_ = new_name_ != name_;
        auto snapshot = image.find_snapshot(name_);
        const auto renamed = renames_ ? image.find_snapshot(new_name_) : std::nullopt;
        if (!snapshot && renamed && context_.is_repeated()) {
            snapshot = renamed;
            name_ = new_name_;
            renames_ = false;
        }
        if (!snapshot)
            throw rbd_error(-ENOENT, renames_
                                         ? renaming(image)
                                         : "error checking if snapshot " + image_at(name_, image) + " is protected");
        if (renames_ && renamed) throw rbd_error(-EEXIST, renaming(image), "a snapshot of that name exists");
        changes_protection_ = is_protected_ && *is_protected_ != snapshot->is_protected;
    }

    static int set_protected(const Image& image, const std::string& name, bool on) {
        const int rc =
            on ? rbd_snap_protect(image.handle(), name.c_str()) : rbd_snap_unprotect(image.handle(), name.c_str());
        // Somebody else did it.
        return rc == -EBUSY && on ? 0 : rc == -EINVAL && !on ? 0 : rc;
    }

    void protect(const Image& image) {
        context_.step(*is_protected_ ? "protect snapshot" : "unprotect snapshot");
        // librbd looks into every pool for clones, and would wait for one that is sick without end.
        if (!*is_protected_)
            if (const auto why = why_no_children(context_.cluster(), work_.spec().ns); !why.empty())
                throw rbd_error(-ETIMEDOUT, protecting(image), why);
        const int rc = set_protected(image, name_, *is_protected_);
        if (rc == -EBUSY) throw refusal_for_clones(image);
        if (rc < 0) throw rbd_error(rc, protecting(image));
    }

    Error refusal_for_clones(const Image& image) const {
        auto look = work_.open(Image::Mode::read_only);
        std::vector<Blockers::Clone> clones;
        if (const auto snapshot = look.find_snapshot(name_))
            clones = find_clones(look, {*snapshot}, work_.spec().ns, context_.cluster());
        if (clones.empty()) return rbd_error(-EBUSY, protecting(image));
        return rbd_error(-EBUSY, protecting(image),
                         "it has clones: " + describe(clones) + ": flatten or remove them first",
                         {{"blockers", {{"children", to_json(clones)}}}});
    }

    void rename(const Image& image) {
        context_.step("rename snapshot");
        const int rc = rbd_snap_rename(image.handle(), name_.c_str(), new_name_.c_str());
        if (rc == 0) return;
        std::string left;
        if (changes_protection_ && set_protected(image, name_, !*is_protected_) < 0)
            left = *is_protected_ ? "the snapshot is protected now" : "the snapshot is not protected any more";
        throw rbd_error(rc, renaming(image), left);
    }

    OperationContext& context_;
    ImageWork work_;
    std::string name_;
    std::string new_name_;
    std::optional<bool> is_protected_;
    bool renames_ = false;
    bool changes_protection_ = false;
};

json run_snap_edit(OperationContext& context, const json& arguments) {
    SnapshotEdit(context, arguments).run();
    return nullptr;
}

}  // namespace

const Operation snapshot_edit_operation{
    .name = "rbd/snap/edit",
    .wait_for = std::chrono::seconds(4),
    .permission = {"rbd-image", Access::update},
    .decode = decode_snap_edit,
    .metadata = metadata_of_snapshot,
    .touches = touches_of_image,
    .run = run_snap_edit,
    .interrupted = "goes on with what is left; the new name without the old one counts as renamed",
    .bound_image = image_spec_of,
};

}  // namespace taskd::rbd
