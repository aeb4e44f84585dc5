#include "rbd/blockers.hpp"
#include "rbd/clone_flatten.hpp"
#include "rbd/error.hpp"
#include "rbd/image_work.hpp"
#include "rbd/progress.hpp"
#include "rbd/snapshot_arguments.hpp"
#include "rbd/snapshot_removal.hpp"

#include <cerrno>
#include <numeric>

#include <taskd/error.hpp>

/// `rbd/snap/delete`. With `force` a protected one goes as well, and its clones are flattened first, as with
/// `rbd snap rm --force`.
namespace taskd::rbd {
namespace {

using nlohmann::json;

json decode_snap_delete(const json& given, const Limits&) {
    const Arguments fields(given, {"image_spec", "image_id", "snapshot_name", "force"});
    json result = json::object();
    decode_snapshot(fields, result);
    result["force"] = fields.optional_flag("force").value_or(false);
    return result;
}

/// One run of the operation.
class SnapshotDelete {
  public:
    SnapshotDelete(OperationContext& context, const json& arguments)
        : context_(context),
          work_(context, arguments),
          name_(arguments.at("snapshot_name").get<std::string>()),
          force_(arguments.at("force").get<bool>()) {}

    void run() {
        work_.find();
        context_.step("look for what is in the way");
        std::optional<Snapshot> snapshot;
        std::vector<Flattening> flattenings;
        {
            auto image = work_.open(Image::Mode::read_only);
            removing_ = "error removing snapshot " + snapshot_from(name_, image);
            snapshot = image.find_snapshot(name_);
            if (!snapshot && context_.is_repeated()) return;
            if (!snapshot) throw rbd_error(-ENOENT, removing_);
            flattenings = plan(image, *snapshot);
        }
        Progress progress(context_, std::accumulate(flattenings.begin(), flattenings.end(), objects_per_snapshot,
                                                    [](auto sum, const auto& one) { return sum + one.objects; }));
        flatten_clones(context_, flattenings, progress);
        context_.step("remove snapshot");
        work_.stop_if_requested(removing_, "the snapshot is whole");
        auto image = work_.open(Image::Mode::read_write);
        remove_snapshot(image, *snapshot, progress);
    }

  private:
    std::vector<Flattening> plan(Image& image, const Snapshot& snapshot) {
        if (snapshot.is_protected && !force_) throw rbd_error(-EBUSY, removing_, "it is protected: unprotect it first");
        if (!force_) return {};
        auto clones = find_clones(image, {snapshot}, work_.spec().ns, context_.cluster());
        auto flattenings = plan_flattening(context_.cluster(), clones);
        if (!clones.empty())
            throw rbd_error(-EBUSY, removing_, "it has clones that cannot be flattened: " + describe(clones),
                            {{"blockers", {{"children", to_json(clones)}}}});
        return flattenings;
    }

    OperationContext& context_;
    ImageWork work_;
    std::string name_;
    bool force_;
    std::string removing_;
};

json run_snap_delete(OperationContext& context, const json& arguments) {
    SnapshotDelete(context, arguments).run();
    return nullptr;
}

}  // namespace

const Operation snapshot_delete_operation{
    .name = "rbd/snap/delete",
    .wait_for = std::chrono::seconds(2),
    .permission = {"rbd-image", Access::remove},
    .decode = decode_snap_delete,
    .metadata = metadata_of_snapshot,
    .touches = touches_of_image,
    .run = run_snap_delete,
    .interrupted = "goes on with what is left; a snapshot that is gone counts as deleted",
    .bound_image = image_spec_of,
};

}  // namespace taskd::rbd
