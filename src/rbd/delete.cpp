#include "ceph/cluster.hpp"
#include "rbd/arguments.hpp"
#include "rbd/blockers.hpp"
#include "rbd/directory.hpp"
#include "rbd/error.hpp"
#include "rbd/half_removed.hpp"
#include "rbd/image_target.hpp"
#include "rbd/image_work.hpp"
#include "rbd/operation.hpp"
#include "rbd/plain_image.hpp"
#include "rbd/pool.hpp"
#include "rbd/progress.hpp"
#include "rbd/removal_by_trash.hpp"
#include "rbd/removal_plan.hpp"
#include "rbd/snapshot_removal.hpp"

#include <algorithm>
#include <cerrno>
#include <string>
#include <vector>

#include <rbd/librbd.h>
#include <taskd/error.hpp>

/// `rbd/delete`. What librbd does itself: `rbd_remove` looks at watchers, snapshots and the group, moves the image to
/// the trash with the source REMOVING (so that its name is free and it cannot be opened by name), trims its data object
/// by object, then removes header and trash record. Cut off anywhere in between it leaves the trash record, from which
/// `rbd_trash_remove` goes on. What we do before it: all that can make it fail is looked at before the first snapshot
/// goes. Of a small image without snapshots we make the move ourselves (rbd/removal_by_trash.hpp).
namespace taskd::rbd {
namespace {

using nlohmann::json;

/// More take seconds, beside which an opening of the image is nothing; and meanwhile the image is among those that a
/// user has put in the trash.
constexpr std::uint64_t most_objects_by_trash = 4096;

constexpr std::string_view rest_is_left = "the image is half removed; delete it again to finish";
constexpr std::string_view no_more_is_known =
    "nothing was removed by this attempt; an earlier one, which was interrupted, may have removed snapshots";

// ---- arguments

json decode_delete(const json& given, const Limits&) {
    const Arguments fields(given, {"image_spec", "image_id", "snapshots", "children"});
    json result = json::object();
    decode_image(fields, result);
    result["snapshots"] = fields.choice("snapshots", {"remove", "refuse"});
    result["children"] = fields.choice("children", {"refuse", "flatten"});
    return result;
}

json metadata_of_delete(const json& arguments) {
    return {{"image_spec", arguments.at("image_spec")}};
}

Touches touches_of_delete(const json& arguments) {
    const auto spec = image_spec_of(arguments);
    return {spec.pool, {spec.format()}};
}

// ---- the work

/// The same error with what it left, if there is something to say, behind the sentence.
Error with_note(const Error& error, std::string_view note) {
    if (note.empty()) return error;
    return Error(error.kind(), error.errno_value(), error.component(), error.what() + ("; " + std::string(note)),
                 error.extra());
}

/// One run of the operation.
class Removal {
  public:
    Removal(OperationContext& context, const json& arguments)
        : context_(context),
          spec_(image_spec_of(arguments)),
          wanted_id_(arguments.value("image_id", std::string{})),
          wish_(RemovalWish::of(arguments)),
          io_(context.cluster().open_ioctx(spec_.pool, spec_.ns)) {}

    void run() {
        context_.step("look up the image");
        auto target = find_image(io_.handle(), spec_, wanted_id_);
        if (target.state == State::gone && reopen_if_replaced(context_.cluster(), spec_, io_))
            target = find_image(io_.handle(), spec_, wanted_id_);
        switch (target.state) {
            case State::named:
                return remove(target);
            case State::half_removed:
                return resume(target);
            case State::renamed:
                throw missing(target.why);
            case State::gone:
            case State::in_trash:
                if (!context_.is_repeated()) throw missing(target.why);
        }
    }

  private:
    using State = ImageTarget::State;

    Error missing(const std::string& why) const {
        return rbd_error(ErrorKind::not_found, -ENOENT, removing_image, why);
    }

    void remove(const ImageTarget& target) {
        context_.step("look for what is in the way");
        if (const auto objects = plain_objects(target)) return remove_plain_image(target, *objects);
        RemovalPlan plan;
        // What cannot be opened is half made: nothing can be in its way, and librbd clears it.
        if (auto image = open_target(io_.handle(), target, Image::Mode::read_only)) {
            plan = plan_removal(*image, io_.handle(), context_.cluster(), wish_);
            refuse_if_blocked(target, *image, plan.blockers, untouched());
        }
        stop_if_requested(untouched());
        Progress progress(context_, plan.weight());
        flatten_clones(context_, plan.flattenings, progress);
        if (!plan.snapshots.empty()) remove_snapshots(target, plan.snapshots, progress);
        remove_image(target, plan.objects, progress);
    }

    /// Set where it need not be opened before. An earlier attempt may have left a watch.
    std::optional<std::uint64_t> plain_objects(const ImageTarget& target) const {
        if (context_.is_repeated()) return std::nullopt;
        return objects_of_plain_image(io_.handle(), target.id);
    }

    void remove_plain_image(const ImageTarget& target, std::uint64_t objects) {
        stop_if_requested(untouched());
        context_.step("remove image");
        stop_if_requested(untouched());
        Progress progress(context_, objects);
        progress.begin_part(objects);
        const int rc = objects <= most_objects_by_trash && !moves_to_trash(context_.cluster(), io_.handle())
                           ? remove_by_trash(io_.handle(), target.id, target.name, Progress::callback, &progress)
                           : rbd_remove_with_progress(io_.handle(), target.name.c_str(), Progress::callback, &progress);
        if (rc == -EBUSY || rc == -EMLINK || rc == -ENOTEMPTY) tell_what_is_in_the_way(target);
        // It had its name back from an earlier removal, but was in the trash still.
        if (rc == -ESTALE) return resume(target);
        finish(target, rc);
    }

    /// After librbd refused: it says EBUSY and no more. When another client removes it as well, it may be in the trash.
    void tell_what_is_in_the_way(const ImageTarget& target) {
        Blockers blockers;
        try {
            if (auto image = open_target(io_.handle(), target, Image::Mode::read_only))
                blockers = find_blockers(*image, io_.handle(), context_.cluster(), SnapshotPlan::refuse);
        } catch (const Error&) {
            return;  // then what librbd said has to do
        }
        if (blockers.empty()) return;
        throw with_note(blockers.refusal(target.name), what_is_left(target));
    }

    /// What is left of an image that still has its name and was not touched by this attempt.
    std::string_view untouched() const { return context_.is_repeated() ? no_more_is_known : "nothing was removed"; }

    void refuse_if_blocked(const ImageTarget& target, const Image& image, Blockers& blockers,
                           std::string_view what_is_left) {
        // After an interrupted attempt the watcher may be a dead process of ours.
        if (context_.is_repeated() && !blockers.watchers.empty()) blockers.watchers = watchers_alive(context_, image);
        stop_if_requested(what_is_left);
        if (blockers.empty()) return;
        throw context_.is_repeated() ? with_note(blockers.refusal(target.name), what_is_left)
                                     : blockers.refusal(target.name);
    }

    void remove_snapshots(const ImageTarget& target, const std::vector<Snapshot>& snapshots, Progress& progress) {
        auto image = open_target(io_.handle(), target, Image::Mode::read_write);
        if (!image) throw missing({});
        refuse_if_opened_meanwhile(*image);
        std::size_t removed = 0;
        for (const auto& snapshot : snapshots) {
            context_.step("remove snapshot " + shown(snapshot.name));
            stop_if_requested(std::to_string(removed) + " of its " + std::to_string(snapshots.size()) +
                              (context_.is_repeated() ? " remaining" : "") +
                              " snapshots were removed; the image is whole");
            remove_snapshot(*image, snapshot, progress);
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

    void remove_image(const ImageTarget& target, std::uint64_t objects, Progress& progress) {
        context_.step("remove image");
        stop_if_requested("its snapshots were removed; the image is whole");
        progress.begin_part(objects);
        finish(target, rbd_remove_with_progress(io_.handle(), target.name.c_str(), Progress::callback, &progress));
    }

    /// Goes on where an earlier removal ended, whoever began it.
    void resume(const ImageTarget& target) {
        std::uint64_t objects = 0;
        if (auto image = open_target(io_.handle(), target, Image::Mode::read_only)) {
            objects = image->object_count();
            // Two clients that trim one image make librbd abort its process.
            auto blockers = find_blockers(*image, io_.handle(), context_.cluster(), SnapshotPlan::keep);
            refuse_if_blocked(target, *image, blockers, what_is_left(target));
        }
        context_.step("resume the removal");
        if (context_.stop_requested()) stop_if_requested(what_is_left(target));
        Progress progress(context_, objects);
        progress.begin_part(objects);
        finish(target, remove_rest(io_.handle(), target.id, target.name, Progress::callback, &progress));
    }

    void finish(const ImageTarget& target, int rc) {
        if (rc == -ENOENT && context_.is_repeated()) return;
        if (rc == -ENOENT) throw missing(where_it_is(target));
        if (rc == -ECANCELED) throw rbd_error(rc, removing_image, rest_is_left);
        if (rc < 0) throw with_note(rbd_error(rc, removing_image), what_is_left(target));
    }

    /// Of one that was there a moment ago.
    std::string where_it_is(const ImageTarget& target) const {
        if (!target.id.empty()) {
            const auto now = find_image(io_.handle(), spec_, target.id);
            if (!now.why.empty()) return now.why;
            if (now.state == State::named) return "another client restored it meanwhile";
        }
        return "another client removed it";
    }

    /// Of an image that is not where it was; empty for one that is.
    std::string what_is_left(const ImageTarget& target) const {
        try {
            const auto record = trash_record(io_.handle(), target.id);
            if (!record || !record->is_being_removed) return {};
            if (record->source == TrashSource::removing || record->state == TrashState::removing)
                return std::string(rest_is_left);
            return "the image is whole, in the trash with the id " + record->id +
                   ": restore it from there, or delete it again";
        } catch (const Error&) {
            return {};  // who cannot look says nothing of it
        }
    }

    void stop_if_requested(std::string_view what_is_left) const {
        if (context_.stop_requested()) throw rbd_error(-ECANCELED, removing_image, what_is_left);
    }

    OperationContext& context_;
    ImageSpec spec_;
    std::string wanted_id_;
    RemovalWish wish_;
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
    .bound_image = image_spec_of,
    .left_behind = "the image may be half removed, or only some of its snapshots; delete it again to finish",
};

}  // namespace taskd::rbd
