#include "rbd/blockers.hpp"
#include "rbd/error.hpp"
#include "rbd/image_work.hpp"
#include "rbd/progress.hpp"
#include "rbd/snapshot_arguments.hpp"
#include "rbd/snapshot_removal.hpp"

#include <algorithm>
#include <cerrno>

#include <taskd/error.hpp>

/// `rbd/snap/purge`, of our own: all snapshots of an image. `rbd snap purge` removes what it can and then fails on the
/// first protected one; here that is known before the first is gone.
namespace taskd::rbd {
namespace {

using nlohmann::json;

json decode_snap_purge(const json& given, const Limits&) {
    const Arguments fields(given, {"image_spec", "image_id", "protected"});
    json result = json::object();
    decode_image(fields, result);
    result["protected"] = fields.choice("protected", {"refuse", "keep", "remove"});
    return result;
}

json metadata_of_snap_purge(const json& arguments) {
    return {{"image_spec", arguments.at("image_spec")}};
}

/// One run of the operation.
class SnapshotPurge {
  public:
    SnapshotPurge(OperationContext& context, const json& arguments)
        : context_(context), work_(context, arguments), protected_(arguments.at("protected").get<std::string>()) {}

    json run() {
        work_.find();
        context_.step("look for what is in the way");
        std::vector<Snapshot> snapshots;
        {
            auto image = work_.open(Image::Mode::read_only);
            purging_ = "error removing snapshots of image " + python_bytes(image.name());
            snapshots = plan(image);
        }
        if (!snapshots.empty()) remove(snapshots);
        return {{"removed", snapshots.size()}, {"kept", kept_}};
    }

  private:
    std::vector<Snapshot> plan(Image& image) {
        auto snapshots = removable_snapshots(image);
        const auto is_protected = [](const Snapshot& snapshot) { return snapshot.is_protected; };
        if (protected_ == "keep") {
            kept_ = std::erase_if(snapshots, is_protected);
        } else if (protected_ == "refuse") {
            if (const auto first = std::find_if(snapshots.begin(), snapshots.end(), is_protected);
                first != snapshots.end())
                throw rbd_error(-EBUSY, purging_,
                                "snapshot '" + shown(first->name) +
                                    "' is protected: unprotect it, "
                                    "or say \"keep\" or \"remove\" for protected ones");
        } else if (const auto clones = find_clones(image, snapshots, work_.spec().ns, context_.cluster());
                   !clones.empty()) {
            throw rbd_error(-EBUSY, purging_, "it has clones: " + describe(clones) + ": flatten or remove them first",
                            {{"blockers", {{"children", to_json(clones)}}}});
        }
        return snapshots;
    }

    void remove(const std::vector<Snapshot>& snapshots) {
        Progress progress(context_, snapshots.size() * objects_per_snapshot);
        std::size_t removed = 0;
        auto image = work_.open(Image::Mode::read_write);
        for (const auto& snapshot : snapshots) {
            context_.step("remove snapshot " + shown(snapshot.name));
            work_.stop_if_requested(
                purging_, std::to_string(removed) + " of " + std::to_string(snapshots.size()) + " were removed");
            remove_snapshot(image, snapshot, progress);
            ++removed;
        }
    }

    OperationContext& context_;
    ImageWork work_;
    std::string protected_;
    std::string purging_;
    std::size_t kept_ = 0;
};

json run_snap_purge(OperationContext& context, const json& arguments) {
    return SnapshotPurge(context, arguments).run();
}

}  // namespace

const Operation snapshot_purge_operation{
    .name = "rbd/snap/purge",
    .wait_for = std::chrono::seconds(2),
    .permission = {"rbd-image", Access::remove},
    .decode = decode_snap_purge,
    .metadata = metadata_of_snap_purge,
    .touches = touches_of_image,
    .run = run_snap_purge,
    .interrupted = "goes on with those that are left",
    .bound_image = image_spec_of,
};

}  // namespace taskd::rbd
