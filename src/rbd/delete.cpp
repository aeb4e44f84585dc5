#include "ceph/cluster.hpp"
#include "rbd/arguments.hpp"
#include "rbd/blockers.hpp"
#include "rbd/directory.hpp"
#include "rbd/error.hpp"
#include "rbd/image.hpp"
#include "rbd/image_spec.hpp"
#include "rbd/operation.hpp"
#include "rbd/pool.hpp"
#include "rbd/progress.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <string>
#include <vector>

#include <rbd/librbd.h>
#include <taskd/error.hpp>

/// `rbd/delete`. What librbd does itself: `rbd_remove` looks at watchers, snapshots and the group, moves the image to
/// the trash with the source REMOVING (so that its name is free and it cannot be opened by name), trims its data object
/// by object, then removes header and trash record. Cut off anywhere in between it leaves the trash record, from which
/// `rbd_trash_remove` goes on. What we do before it: all that can make it fail is looked at before the first snapshot
/// goes.
namespace taskd::rbd {
namespace {

using nlohmann::json;

constexpr std::string_view removing = "error removing image";
constexpr std::string_view rest_is_left = "the image is half removed; delete it again to finish";
constexpr std::string_view no_more_is_known =
    "nothing was removed by this attempt; an earlier one, which was interrupted, may have removed snapshots";

/// A snapshot's share of the progress, in data objects: removing one takes about as long as trimming these.
constexpr std::uint64_t objects_per_snapshot = 1000;

/// An earlier attempt's process holds its watch on the image for this long after its death (osd_client_watch_timeout is
/// 30 s), unless it was fenced.
constexpr auto watch_of_the_dead = std::chrono::seconds(40);
constexpr auto watch_poll = std::chrono::milliseconds(500);

// ---- arguments

json decode_delete(const json& given, const Limits&) {
    const Arguments fields(given, {"image_spec", "image_id", "snapshots"});
    json result = {{"image_spec", fields.text("image_spec")}};
    ImageSpec::parse(result["image_spec"].get_ref<const std::string&>(), "image_spec");
    if (const auto id = fields.optional_text("image_id")) {
        if (id->empty() || id->find_first_of(std::string_view("/\0", 2)) != std::string::npos)
            throw BadRequest("image_id", "expected an image's id");
        result["image_id"] = *id;
    }
    result["snapshots"] = fields.optional_text("snapshots").value_or("remove");
    if (result["snapshots"] != "remove" && result["snapshots"] != "refuse")
        throw BadRequest("snapshots", "expected \"remove\" or \"refuse\"");
    return result;
}

json metadata_of_delete(const json& arguments) {
    return {{"image_spec", arguments.at("image_spec")}};
}

Touches touches_of_delete(const json& arguments) {
    const auto spec = ImageSpec::parse(arguments.at("image_spec").get_ref<const std::string&>());
    return {spec.pool, {spec.format()}};
}

// ---- the work

/// Where the image is that is to go.
struct Target {
    enum class State {
        gone,
        named,         ///< In the directory under `name`.
        half_removed,  ///< In the trash, its removal begun.
        renamed,       ///< There, under another name than the one that was given.
    };
    State state = State::gone;
    std::string id;    ///< Empty for an image of format 1.
    std::string name;  ///< As the pool has it: any bytes.
    std::string why;   ///< gone, renamed: what is known of it.
};

Target other(Target::State state, std::string why) {
    Target target;
    target.state = state;
    target.why = std::move(why);
    return target;
}

/// A name that is not UTF-8 reaches us as it is shown; the id says that it is the one.
bool is_name_of(const std::string& name, const ImageSpec& spec) {
    return name == spec.name || shown(name) == spec.name;
}

/// Never any other than the image of that id.
Target find_by_id(rados_ioctx_t pool, const ImageSpec& spec, const std::string& id) {
    if (auto name = name_of_image(pool, id)) {
        if (is_name_of(*name, spec)) return {Target::State::named, id, *std::move(name), {}};
        return other(Target::State::renamed, "the image with the id " + id + " is now named '" + shown(*name) + "'");
    }
    if (auto record = trash_record(pool, id)) {
        if (record->source == TrashSource::removing)
            return {Target::State::half_removed, id, std::move(record->name), {}};
        return other(Target::State::gone, "the image with the id " + id + " is in the trash");
    }
    return {};
}

Target find_by_name(rados_ioctx_t pool, const std::string& name) {
    if (auto id = id_of_image(pool, name)) return {Target::State::named, *std::move(id), name, {}};
    if (auto record = half_removed_image(pool, name))
        return {Target::State::half_removed, std::move(record->id), name, {}};
    // An image of format 1 has no id.
    if (Image::open(pool, name, Image::Mode::read_only)) return {Target::State::named, {}, name, {}};
    return {};
}

/// Whether removing an image only moves it to the trash here: librbd's option, of the pool or else the cluster.
bool keeps_in_trash(const ceph::Cluster& cluster, rados_ioctx_t pool) {
    constexpr auto option = "rbd_move_to_trash_on_remove";
    constexpr auto key = "conf_rbd_move_to_trash_on_remove";
    std::array<char, 16> value{};
    std::size_t size = value.size();
    const int rc = rbd_pool_metadata_get(pool, key, value.data(), &size);
    if (rc < 0 && rc != -ENOENT) throw rbd_error(rc, "error getting metadata " + python_bytes(key) + " for pool");
    const std::string text = rc < 0 ? cluster.conf(option) : std::string(value.data());
    return text == "true" || text == "1";
}

/// The same error with what it left behind the sentence.
Error with_note(const Error& error, std::string_view note) {
    return Error(error.kind(), error.errno_value(), error.component(), error.what() + ("; " + std::string(note)),
                 error.extra());
}

/// One run of the operation.
class Removal {
  public:
    Removal(OperationContext& context, const json& arguments)
        : context_(context),
          spec_(ImageSpec::parse(arguments.at("image_spec").get_ref<const std::string&>())),
          wanted_id_(arguments.value("image_id", std::string{})),
          refuse_snapshots_(arguments.at("snapshots") == "refuse"),
          io_(context.cluster().open_ioctx(spec_.pool, spec_.ns)) {}

    void run() {
        context_.step("look up the image");
        auto target = find();
        if (target.state == Target::State::gone && reopen_if_replaced(context_.cluster(), spec_, io_)) target = find();
        switch (target.state) {
            case Target::State::named:
                return remove(target);
            case Target::State::half_removed:
                return resume(target);
            case Target::State::renamed:
                throw missing(target.why);
            case Target::State::gone:
                if (!context_.is_repeated()) throw missing(target.why);
        }
    }

  private:
    Target find() const {
        return wanted_id_.empty() ? find_by_name(io_.handle(), spec_.name)
                                  : find_by_id(io_.handle(), spec_, wanted_id_);
    }

    Error missing(const std::string& why) const { return rbd_error(ErrorKind::not_found, -ENOENT, removing, why); }

    void remove(const Target& target) {
        context_.step("look for what is in the way");
        std::vector<Snapshot> snapshots;
        std::uint64_t objects = 0;
        // What cannot be opened is half made: nothing can be in its way, and librbd clears it.
        if (auto image = open(target, Image::Mode::read_only)) {
            objects = image->object_count();
            snapshots = removable(*image);
            const auto plan = plan_for(snapshots);
            if (plan != SnapshotPlan::remove) snapshots.clear();
            refuse_if_blocked(target, plan, *std::move(image), untouched());
        }
        stop_if_requested(untouched());
        Progress progress(context_, objects + snapshots.size() * objects_per_snapshot);
        if (!snapshots.empty()) remove_snapshots(target, snapshots, progress);
        remove_image(target, objects, progress);
    }

    /// What is left of an image that still has its name and was not touched by this attempt.
    std::string_view untouched() const { return context_.is_repeated() ? no_more_is_known : "nothing was removed"; }

    SnapshotPlan plan_for(const std::vector<Snapshot>& snapshots) const {
        if (!snapshots.empty() && keeps_in_trash(context_.cluster(), io_.handle())) return SnapshotPlan::keep;
        return refuse_snapshots_ ? SnapshotPlan::refuse : SnapshotPlan::remove;
    }

    std::optional<Image> open(const Target& target, Image::Mode mode) {
        return target.id.empty() ? Image::open(io_.handle(), target.name, mode)
                                 : Image::open_by_id(io_.handle(), target.id, mode);
    }

    static std::vector<Snapshot> removable(const Image& image) {
        auto snapshots = image.snapshots();
        // Those of mirroring go with the image; a group's are blockers.
        std::erase_if(snapshots, [](const Snapshot& snapshot) {
            return snapshot.type != RBD_SNAP_NAMESPACE_TYPE_USER && snapshot.type != RBD_SNAP_NAMESPACE_TYPE_TRASH;
        });
        return snapshots;
    }

    void refuse_if_blocked(const Target& target, SnapshotPlan plan, Image image, std::string_view what_is_left) {
        auto blockers = find_blockers(image, io_.handle(), context_.cluster(), plan);
        // After an interrupted attempt the watcher may be a dead process of ours.
        const auto give_up = std::chrono::steady_clock::now() + watch_of_the_dead;
        while (context_.is_repeated() && !blockers.watchers.empty() && std::chrono::steady_clock::now() < give_up) {
            context_.step("wait for the client that has the image open");
            if (!context_.pause(watch_poll)) break;
            blockers.watchers = image.watchers();
        }
        stop_if_requested(what_is_left);
        if (blockers.empty()) return;
        throw context_.is_repeated() ? with_note(blockers.refusal(target.name), what_is_left)
                                     : blockers.refusal(target.name);
    }

    void remove_snapshots(const Target& target, const std::vector<Snapshot>& snapshots, Progress& progress) {
        auto image = open(target, Image::Mode::read_write);
        if (!image) throw missing({});
        refuse_if_opened_meanwhile(*image);
        std::size_t removed = 0;
        for (const auto& snapshot : snapshots) {
            context_.step("remove snapshot " + shown(snapshot.name));
            stop_if_requested(std::to_string(removed) + " of its " + std::to_string(snapshots.size()) +
                              (context_.is_repeated() ? " remaining" : "") +
                              " snapshots were removed; the image is whole");
            progress.begin_part(objects_per_snapshot);
            remove_snapshot(*image, snapshot, progress);
            progress.end_part();
            ++removed;
        }
    }

    /// Between the look and now; our own watch is one of them.
    void refuse_if_opened_meanwhile(const Image& image) {
        Blockers blockers;
        blockers.watchers = image.watchers();
        const auto ours =
            std::find_if(blockers.watchers.begin(), blockers.watchers.end(),
                         [this](const Watcher& watcher) { return watcher.client == context_.cluster().instance_id(); });
        if (ours != blockers.watchers.end()) blockers.watchers.erase(ours);
        if (!blockers.watchers.empty() && !image.is_mirrored()) throw blockers.refusal(image.name());
    }

    static void remove_snapshot(Image& image, const Snapshot& snapshot, Progress& progress) {
        const auto what = "snapshot " + python_bytes(snapshot.name) + " from " + python_bytes(image.name());
        int rc = 0;
        if (snapshot.type == RBD_SNAP_NAMESPACE_TYPE_USER)
            rc = rbd_snap_remove2(image.handle(), snapshot.name.c_str(), RBD_SNAP_REMOVE_UNPROTECT, Progress::callback,
                                  &progress);
        else
            rc = rbd_snap_remove_by_id(image.handle(), snapshot.id);
        if (rc < 0 && rc != -ENOENT) throw rbd_error(rc, "error removing " + what);
    }

    void remove_image(const Target& target, std::uint64_t objects, Progress& progress) {
        context_.step("remove image");
        stop_if_requested("its snapshots were removed; the image is whole");
        progress.begin_part(objects);
        finish(target, rbd_remove_with_progress(io_.handle(), target.name.c_str(), Progress::callback, &progress));
    }

    /// Goes on where an earlier removal ended, whoever began it.
    void resume(const Target& target) {
        std::uint64_t objects = 0;
        if (auto image = open(target, Image::Mode::read_only)) {
            objects = image->object_count();
            // Two clients that trim one image make librbd abort its process.
            refuse_if_blocked(target, SnapshotPlan::keep, *std::move(image), rest_is_left);
        }
        context_.step("resume the removal");
        stop_if_requested(rest_is_left);
        Progress progress(context_, objects);
        progress.begin_part(objects);
        int rc = rbd_trash_remove_with_progress(io_.handle(), target.id.c_str(), true, Progress::callback, &progress);
        if (rc == -EUCLEAN) rc = finish_move(target, progress);
        finish(target, rc);
    }

    /// The earlier removal ended while it moved the image to the trash. Only `rbd_remove` by name goes on from there.
    int finish_move(const Target& target, Progress& progress) {
        const auto named = id_of_image(io_.handle(), target.name);
        const auto record = half_removed_image(io_.handle(), target.name);
        if ((named && *named != target.id) || !record || record->id != target.id)
            throw rbd_error(ErrorKind::conflict, -EUCLEAN, removing,
                            "another image has its name now: rename that one, then delete this again");
        return rbd_remove_with_progress(io_.handle(), target.name.c_str(), Progress::callback, &progress);
    }

    void finish(const Target& target, int rc) {
        if (rc == -ENOENT && context_.is_repeated()) return;
        if (rc == -ENOENT) throw missing("another client removed it");
        if (rc == -ECANCELED) throw rbd_error(rc, removing, rest_is_left);
        if (rc < 0)
            throw is_half_removed(target) ? with_note(rbd_error(rc, removing), rest_is_left) : rbd_error(rc, removing);
    }

    bool is_half_removed(const Target& target) const noexcept {
        try {
            const auto record = trash_record(io_.handle(), target.id);
            return record && record->source == TrashSource::removing;
        } catch (const std::exception&) {
            return false;  // who cannot look says nothing of it
        }
    }

    void stop_if_requested(std::string_view what_is_left) const {
        if (context_.stop_requested()) throw rbd_error(-ECANCELED, removing, what_is_left);
    }

    OperationContext& context_;
    ImageSpec spec_;
    std::string wanted_id_;
    bool refuse_snapshots_;
    ceph::Ioctx io_;
};

json run_delete(OperationContext& context, const json& arguments) {
    try {
        Removal(context, arguments).run();
    } catch (const Error& error) {
        // The whole pool is gone since the attempt before, and the image with it.
        const bool no_pool = error.component() == "pool" && error.errno_value() == ENOENT;
        if (!no_pool || !context.is_repeated()) throw;
    }
    return nullptr;
}

}  // namespace

const Operation delete_operation{
    .name = "rbd/delete",
    .wait_for = std::chrono::seconds(2),
    .permission = {"rbd-image", Access::remove},
    .decode = decode_delete,
    .metadata = metadata_of_delete,
    .touches = touches_of_delete,
    .run = run_delete,
    .interrupted = "goes on with what is left; an image that is gone counts as deleted",
    .bound_image =
        [](const json& arguments) { return ImageSpec::parse(arguments.at("image_spec").get<std::string>()); },
    .left_behind = "the image may be half removed, or only some of its snapshots; delete it again to finish",
};

}  // namespace taskd::rbd
