#include "rbd/configuration.hpp"
#include "rbd/directory.hpp"
#include "rbd/error.hpp"
#include "rbd/feature_change.hpp"
#include "rbd/features.hpp"
#include "rbd/half_removed.hpp"
#include "rbd/image_metadata.hpp"
#include "rbd/image_work.hpp"
#include "rbd/layout_arguments.hpp"
#include "rbd/mirroring_arguments.hpp"
#include "rbd/mirroring_change.hpp"
#include "rbd/resize_image.hpp"
#include "rbd/snapshot_arguments.hpp"
#include "rbd/snapshot_schedule.hpp"

#include <algorithm>
#include <cerrno>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include <taskd/error.hpp>

/// `rbd/edit`: name, size, features, configuration and mirroring. All that can be known to fail is looked at before
/// anything is changed. What can be taken back is done first, in the order in which it can: features, configuration,
/// mirroring, name, the schedule of its snapshots, which goes by the new name; then the size, for what is trimmed is
/// gone. When one fails, those before it are taken back.
namespace taskd::rbd {
namespace {

using nlohmann::json;

// ---- arguments

/// `enable_features`, `disable_features`: what is to change, for those who do not know what the image has.
void decode_switched(const Arguments& fields, json& result) {
    for (const auto& [field, switchable] :
         {std::pair{"enable_features", features_that_go_on}, {"disable_features", features_that_go_off}}) {
        decode_features(fields, field, result);
        const auto mask = features_of(result, field);
        if (!mask) continue;
        if (result.contains("features")) throw BadRequest(field, "excludes features, which lists them all");
        if (const auto fixed = feature_names(*mask & ~switchable); !fixed.empty())
            throw BadRequest(field, fixed.front() + " cannot be switched");
    }
}

json decode_edit(const json& given, const Limits& limits) {
    const Arguments fields(given, {"image_spec", "image_id", "name", "size", "allow_shrink", "features",
                                   "enable_features", "disable_features", "configuration", "enable_mirror", "primary",
                                   "force", "resync", "mirror_mode", "schedule_interval", "remove_scheduling"});
    json result = {{"name", nullptr}};
    decode_image(fields, result);
    // Empty means "keep it" for the dashboard; so does the name that it has, which may be any.
    if (const auto name = fields.optional_text("name")) {
        if (!name->empty() && *name != image_spec_of(result).name) check_new_name(*name, "name");
        result["name"] = *name;
    }
    if (const auto size = fields.optional_number("size", limits.image_size_bytes)) result["size"] = *size;
    decode_features_and_configuration(fields, result);
    decode_switched(fields, result);
    for (const auto* flag : {"enable_mirror", "primary"})
        if (const auto value = fields.optional_flag(flag)) result[flag] = *value;
    for (const auto* flag : {"allow_shrink", "force", "resync", "remove_scheduling"})
        if (fields.optional_flag(flag).value_or(false)) result[flag] = true;
    if (const auto mode = decode_mirror_mode(fields)) result["mirror_mode"] = *mode;
    if (const auto interval = decode_schedule_interval(fields)) {
        if (result.contains("remove_scheduling")) throw BadRequest("remove_scheduling", "excludes schedule_interval");
        result["schedule_interval"] = *interval;
    }
    return result;
}

json metadata_of_edit(const json& arguments) {
    return {{"image_spec", arguments.at("image_spec")}, {"name", arguments.at("name")}};
}

bool is_to_be_renamed(const json& arguments) {
    const auto& name = arguments.at("name");
    return name.is_string() && !name.get_ref<const std::string&>().empty();
}

/// What it is to be called; the name that it has when it keeps that.
ImageSpec renamed(const json& arguments) {
    auto spec = image_spec_of(arguments);
    if (is_to_be_renamed(arguments)) spec.name = arguments.at("name").get<std::string>();
    return spec;
}

Touches touches_of_edit(const json& arguments) {
    auto touches = touches_of_image(arguments);
    if (auto name = renamed(arguments).format(); name != touches.images.front())
        touches.images.push_back(std::move(name));
    return touches;
}

MirroringChange mirroring_of(const json& arguments) {
    const auto flag = [&arguments](const char* name) {
        const auto found = arguments.find(name);
        return found == arguments.end() ? std::nullopt : std::optional(found->get<bool>());
    };
    return {.enable = flag("enable_mirror"),
            .mode = arguments.value("mirror_mode", std::string{}),
            .primary = flag("primary"),
            .force = arguments.contains("force"),
            .resync = arguments.contains("resync")};
}

// ---- the work

/// One run of the operation.
class Edit {
  public:
    Edit(OperationContext& context, const json& arguments)
        : context_(context),
          arguments_(arguments),
          name_(renamed(arguments).name),
          configuration_(arguments.value("configuration", json::object())),
          work_(std::in_place, context, arguments) {}

    void run() {
        find();
        context_.step("check");
        check(work_->open(Image::Mode::read_only));
        if (steps_.empty()) return;
        work_->stop_if_requested("error editing image " + python_bytes(target_.name), "nothing was changed");
        for (auto& step : steps_) {
            context_.step(step.name);
            try {
                step.run();
            } catch (const Error& error) {
                take_back(error);
            }
        }
    }

  private:
    struct Step {
        std::string name;
        std::function<void()> run;
    };
    struct Undo {
        std::string what;  ///< What is so as long as it was not taken back.
        std::function<void()> run;
    };

    /// The image under its old name or, when an attempt before this one came so far, under its new one.
    void find() {
        try {
            work_->find();
        } catch (const Error&) {
            auto arguments = arguments_;
            arguments["image_spec"] = renamed(arguments_).format();
            if (!context_.is_repeated() || arguments["image_spec"] == arguments_["image_spec"]) throw;
            work_.emplace(context_, arguments);
            work_->find();
        }
        target_ = work_->target();
    }

    void check(const Image& image) {
        plan_features(image);
        plan_configuration();
        plan_end_of_schedule(image);
        plan_mirroring_steps(image);
        plan_name();
        plan_schedule(image);
        plan_size(image);
    }

    /// The image opened for writing, when it is first needed.
    Image& writable() {
        if (!image_) {
            image_ = open_target(work_->pool(), target_, Image::Mode::read_write);
            if (!image_)
                throw rbd_error(-ENOENT, "error opening image " + python_bytes(target_.name) + " at snapshot None");
        }
        return *image_;
    }

    // features

    void plan_features(const Image& image) {
        const auto now = image.features();
        const auto listed = features_of(arguments_, "features");
        const auto change = listed ? FeatureChange::from_to(now, *listed)
                                   : FeatureChange::of(now, features_of(arguments_, "enable_features").value_or(0),
                                                       features_of(arguments_, "disable_features").value_or(0));
        if (change.empty()) return;
        if (const auto why = missing_feature(change.applied_to(now)); !why.empty())
            throw rbd_error(-EINVAL, updating_features(), why);
        steps_.push_back({"change features", [this, change, now] { change_features(change, now); }});
    }

    std::string updating_features() const { return "error updating features for image " + python_bytes(target_.name); }

    void update(std::uint64_t features, bool on) {
        if (features == 0) return;
        const int rc = rbd_update_features(writable().handle(), features, on ? 1 : 0);
        if (rc < 0) throw rbd_error(rc, updating_features());
    }

    void change_features(const FeatureChange& change, std::uint64_t before) {
        undo_.push_back({"features are changed", [this, before] {
                             const auto now = writable().features();
                             update(now & ~before, false);
                             update(before & ~now, true);
                         }});
        update(change.off, false);
        // librbd may have switched more than it was told: object-map and fast-diff go together.
        update(change.on & ~writable().features(), true);
    }

    // configuration

    void plan_configuration() {
        if (configuration_.empty()) return;
        check_configuration(work_->pool(), configuration_, target_.name);
        steps_.push_back({"set configuration", [this] {
                              undo_.push_back({"configuration is changed", [this] {
                                                   json ignored = json::object();
                                                   change_configuration(writable(), before_, ignored);
                                               }});
                              change_configuration(writable(), configuration_, before_);
                          }});
    }

    // mirroring

    void plan_mirroring_steps(const Image& image) {
        const auto change = mirroring_of(arguments_);
        for (auto& step : plan_mirroring(image, work_->pool(), change, [this]() -> Image& { return writable(); }))
            steps_.push_back({step.name, [this, step] {
                                  step.run();
                                  undo_.push_back({"what was done: " + step.name, step.undo});
                              }});
    }

    // the schedule of mirror snapshots

    SnapshotSchedule schedule() const { return {context_, {work_->spec().pool, work_->spec().ns, target_.name}}; }

    void plan_end_of_schedule(const Image& image) {
        if (!arguments_.contains("remove_scheduling") || !image.is_mirrored_by_snapshots()) return;  // there is none
        steps_.push_back({"remove the schedule", [this] {
                              undo_.push_back(
                                  {"the schedule is removed", [this, before = schedule().items(target_.id)] {
                                       for (const auto& item : before) schedule().add(item);
                                   }});
                              schedule().clear();
                          }});
    }

    void plan_schedule(const Image& image) {
        const auto interval = arguments_.find("schedule_interval");
        if (interval == arguments_.end()) return;
        if (!mirroring_of(arguments_).leaves_snapshots(image.is_mirrored(), image.is_mirrored_by_snapshots()))
            throw BadRequest("schedule_interval", "the image is not mirrored by snapshots");
        steps_.push_back({"schedule snapshots", [this, item = SnapshotSchedule::Item{*interval, {}}] {
                              const auto there = schedule().items(target_.id);
                              if (std::find(there.begin(), there.end(), item) != there.end()) return;
                              undo_.push_back({"snapshots are scheduled", [this, item] { schedule().remove(item); }});
                              schedule().add(item);
                          }});
    }

    // name

    void plan_name() {
        if (!is_to_be_renamed(arguments_)) return;  // by an id in place of its name, the names differ
        if (name_ == target_.name || name_ == shown(target_.name)) return;
        constexpr std::string_view renaming = "error renaming image";
        if (id_of_image(work_->pool(), name_) || Image::open(work_->pool(), name_, Image::Mode::read_only))
            throw rbd_error(-EEXIST, renaming);
        refuse_half_removed(work_->pool(), name_, renaming);
        steps_.push_back({"rename", [this, old = target_.name] {
                              rename(name_);
                              undo_.push_back({"it is renamed", [this, old] { rename(old); }});
                          }});
    }

    void rename(const std::string& name) {
        image_.reset();  // librbd opens it itself
        const int rc = rbd_rename(work_->pool(), target_.name.c_str(), name.c_str());
        if (rc < 0) throw rbd_error(rc, "error renaming image");
        target_.name = name;
    }

    // size

    void plan_size(const Image& image) {
        const auto size = arguments_.find("size");
        if (size == arguments_.end() || *size == image.size_bytes()) return;
        const Resize resize{size->get<std::uint64_t>(), arguments_.contains("allow_shrink")};
        check_resize(image, resize);
        steps_.push_back({"resize", [this, resize] { resize_image(context_, writable(), resize); }});
    }

    /// Undoes what was done, latest first, and throws the reason with what could not be undone.
    [[noreturn]] void take_back(const Error& reason) {
        std::string text = reason.what();
        for (; !undo_.empty(); undo_.pop_back()) {
            const auto& undo = undo_.back();
            context_.step("take back: " + undo.what);
            try {
                if (!undo.run) throw Error(ErrorKind::refused, 0, "rbd", "it cannot be taken back");
                undo.run();
            } catch (const Error& error) {
                text.append("; ").append(undo.what).append(" (").append(error.what()).append(")");
            }
        }
        if (context_.is_repeated()) text += "; an earlier attempt may have changed a part";
        throw Error(reason.kind(), reason.errno_value(), reason.component(), text, reason.extra());
    }

    OperationContext& context_;
    const json& arguments_;
    const std::string name_;
    const json configuration_;
    std::optional<ImageWork> work_;
    ImageTarget target_;
    std::optional<Image> image_;
    std::vector<Step> steps_;
    std::vector<Undo> undo_;
    json before_ = json::object();
};

json run_edit(OperationContext& context, const json& arguments) {
    Edit(context, arguments).run();
    return nullptr;
}

}  // namespace

const Operation edit_operation{
    .name = "rbd/edit",
    .wait_for = std::chrono::seconds(4),
    .permission = {"rbd-image", Access::update},
    .decode = decode_edit,
    .metadata = metadata_of_edit,
    .touches = touches_of_edit,
    .run = run_edit,
    .interrupted = "goes on with what is left; the new name without the old one counts as renamed",
    .bound_image = image_spec_of,
    .left_behind = "only part of the changes may be made: ask for them again",
};

}  // namespace taskd::rbd
