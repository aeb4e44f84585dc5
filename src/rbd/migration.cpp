#include "rbd/blockers.hpp"
#include "rbd/destination.hpp"
#include "rbd/error.hpp"
#include "rbd/half_removed.hpp"
#include "rbd/image_arguments.hpp"
#include "rbd/image_work.hpp"
#include "rbd/layout_arguments.hpp"
#include "rbd/migration_state.hpp"
#include "rbd/progress.hpp"
#include "rbd/snapshot_arguments.hpp"

#include <cerrno>
#include <exception>
#include <optional>

#include <taskd/error.hpp>

/// `rbd/migration/prepare`, `execute`, `commit`, `abort`: an image moves to another pool, namespace, name or layout
/// while it is used. After `prepare` clients open the destination; the other three are told that one.
namespace taskd::rbd {
namespace {

using nlohmann::json;

std::string migrating(const std::string& name) {
    return "error migrating image " + python_bytes(name);
}

// ---- prepare

Arguments fields_of_prepare(const json& given) {
    return {given,
            {"image_spec", "image_id", "dest_pool_name", "dest_namespace", "dest_image_name", "obj_size", "features",
             "stripe_unit", "stripe_count", "data_pool", "flatten"}};
}

/// What is not given of the destination is as the source has it.
json with_destination(const json& given, const ImageSpec& source) {
    auto whole = given;
    const auto fields = fields_of_prepare(given);
    if (fields.find("dest_image_name") == nullptr) whole["dest_image_name"] = source.name;
    if (fields.find("dest_pool_name") == nullptr) whole["dest_pool_name"] = source.pool;
    if (!given.contains("dest_namespace"))
        whole["dest_namespace"] =
            whole["dest_pool_name"] == source.pool && !source.ns.empty() ? json(source.ns) : json();
    return whole;
}

json decode_prepare(const json& given, const Limits&) {
    json result = json::object();
    decode_image(fields_of_prepare(given), result);
    const auto whole = with_destination(given, image_spec_of(result));
    const auto fields = fields_of_prepare(whole);
    decode_destination(fields, whole, result);
    decode_layout(fields, result);
    result["flatten"] = fields.optional_flag("flatten").value_or(false);
    return result;
}

/// Makes the destination and leaves the source, hidden in the trash, as what it is read from.
class Preparation {
  public:
    Preparation(OperationContext& context, const json& arguments)
        : context_(context),
          spec_(destination_of(arguments)),
          layout_(layout_of(arguments)),
          flatten_(arguments.at("flatten").get<bool>()),
          work_(context, arguments),
          io_(context.cluster().open_ioctx(spec_.pool, spec_.ns)) {}

    void run() {
        if (context_.is_repeated() && is_done()) return;
        work_.find();
        context_.step("check");
        check_source();
        check_destination();
        work_.stop_if_requested(migrating(work_.target().name), "nothing was changed");
        context_.step("prepare the migration");
        const auto options = image_options(layout_);
        if (flatten_) rbd_image_options_set_uint64(options.get(), RBD_IMAGE_OPTION_FLATTEN, 1);
        const int rc = rbd_migration_prepare(work_.pool(), work_.target().name.c_str(), io_.handle(),
                                             spec_.name.c_str(), options.get());
        if (rc < 0)
            throw rbd_error(rc, migrating(work_.target().name), explain_failure(rc, io_.handle(), spec_, layout_));
    }

  private:
    /// Whether an attempt before this one has done it; one that it left half done is taken back.
    bool is_done() {
        context_.step("look for an earlier attempt");
        const auto state = migration_state(io_.handle(), spec_.name);
        if (!state) return false;
        if (*state != RBD_IMAGE_MIGRATION_STATE_PREPARING && *state != RBD_IMAGE_MIGRATION_STATE_ERROR) return true;
        context_.step("take back what an earlier attempt did");
        if (const int rc = rbd_migration_abort(io_.handle(), spec_.name.c_str()); rc < 0)
            throw rbd_error(rc, "error aborting migration", "what an earlier attempt left half prepared");
        return false;
    }

    void check_source() {
        auto image = work_.open(Image::Mode::read_only);
        auto blockers = find_blockers(image, work_.pool(), context_.cluster(), SnapshotPlan::keep);
        if (!blockers.watchers.empty()) blockers.watchers = watchers_alive(context_, image);
        blockers.group.reset();  // librbd takes it out and puts the destination in
        if (!blockers.empty()) throw blockers.refusal(image.name(), migrating(image.name()));
    }

    void check_destination() {
        check_pools(context_.cluster(), io_.handle(), spec_, layout_);
        const bool is_itself = io_.pool_id() == rados_ioctx_get_id(work_.pool()) && spec_.ns == work_.spec().ns &&
                               spec_.name == work_.target().name;
        if (is_itself) return;
        const auto doing = migrating(work_.target().name);
        if (Image::open(io_.handle(), spec_.name, Image::Mode::read_only)) throw rbd_error(-EEXIST, doing);
        refuse_half_removed(io_.handle(), spec_.name, doing);
    }

    OperationContext& context_;
    const ImageSpec spec_;
    const ImageLayout layout_;
    const bool flatten_;
    ImageWork work_;
    const ceph::Ioctx io_;
};

json run_prepare(OperationContext& context, const json& arguments) {
    Preparation(context, arguments).run();
    return nullptr;
}

// ---- execute, commit, abort

/// Like `Progress::callback`, but librbd must not stop: what it leaves half done here cannot be finished or taken back.
int report_only(std::uint64_t done, std::uint64_t total, void* progress) noexcept {
    Progress::callback(done, total, progress);
    return 0;
}

using Call = int (*)(rados_ioctx_t, const char*, librbd_progress_fn_t, void*);

/// One that is half prepared may have no more than a record in the trash, which librbd finds by its name.
std::string name_of(const ImageWork& work) {
    return work.target().state == ImageTarget::State::named ? work.target().name : work.spec().name;
}

void run_step(OperationContext& context, const ImageWork& work, Call call, const std::string& doing) {
    const auto image = open_target(work.pool(), work.target(), Image::Mode::read_only);
    const auto objects = image ? image->object_count() : 0;
    work.stop_if_requested(doing, "nothing was changed");
    Progress progress(context, objects);
    progress.begin_part(objects);
    const int rc = call(work.pool(), name_of(work).c_str(), report_only, &progress);
    if (rc < 0) throw rbd_error(rc, doing);
    progress.end_part();
}

/// nullopt, for a repeated attempt: it is not being migrated any more, or not there.
/// @throws Error
std::optional<rbd_image_migration_state_t> find_migration(OperationContext& context, ImageWork& work,
                                                          const std::string& doing) {
    std::exception_ptr not_found;
    try {
        work.find();
    } catch (const Error& error) {
        if (error.errno_value() != ENOENT) throw;
        not_found = std::current_exception();
    }
    context.step("look at the migration");
    const auto state = migration_state(work.pool(), name_of(work));
    if (state || context.is_repeated()) return state;
    if (not_found) std::rethrow_exception(not_found);
    throw rbd_error(-EINVAL, doing, "it is not being migrated");
}

json run_execute(OperationContext& context, const json& arguments) {
    ImageWork work(context, arguments);
    const auto doing = migrating(work.spec().name);
    const auto state = find_migration(context, work, doing);
    if (!state) throw rbd_error(-EINVAL, doing, "it is not being migrated");
    if (*state == RBD_IMAGE_MIGRATION_STATE_EXECUTED) {
        if (context.is_repeated()) return nullptr;
        throw rbd_error(-EINVAL, doing, "it is executed already: commit it");
    }
    context.step("execute the migration");
    run_step(context, work, rbd_migration_execute_with_progress, doing);
    return nullptr;
}

json run_commit(OperationContext& context, const json& arguments) {
    ImageWork work(context, arguments);
    const auto doing = migrating(work.spec().name);
    const auto state = find_migration(context, work, doing);
    if (!state) return nullptr;
    if (*state != RBD_IMAGE_MIGRATION_STATE_EXECUTED)
        throw rbd_error(-EINVAL, doing, "it is not executed yet: execute it first");
    context.step("commit the migration");
    run_step(context, work, rbd_migration_commit_with_progress, doing);
    return nullptr;
}

json run_abort(OperationContext& context, const json& arguments) {
    constexpr const char* aborting = "error aborting migration";
    ImageWork work(context, arguments);
    if (!find_migration(context, work, aborting)) return nullptr;
    context.step("abort the migration");
    run_step(context, work, rbd_migration_abort_with_progress, aborting);
    return nullptr;
}

}  // namespace

const Operation migration_prepare_operation{
    .name = "rbd/migration/prepare",
    .wait_for = std::chrono::seconds(2),
    .permission = {"rbd-image", Access::update},
    .decode = decode_prepare,
    .metadata = metadata_of_copy,
    .touches = touches_of_copy,
    .run = run_prepare,
    .interrupted = "a destination that is prepared counts as done; what is half prepared is aborted and done anew",
    .bound_image = image_spec_of,
    .left_behind = "the migration may be half prepared: abort it",
};

const Operation migration_execute_operation{
    .name = "rbd/migration/execute",
    .wait_for = std::chrono::seconds(2),
    .permission = {"rbd-image", Access::update},
    .decode = decode_image_only,
    .metadata = metadata_of_image,
    .touches = touches_of_image,
    .run = run_execute,
    .interrupted = "goes on with what is left",
    .bound_image = image_spec_of,
    .left_behind = "part of the data are copied and the image is whole: execute it again to finish",
};

const Operation migration_commit_operation{
    .name = "rbd/migration/commit",
    .wait_for = std::chrono::seconds(2),
    .permission = {"rbd-image", Access::update},
    .decode = decode_image_only,
    .metadata = metadata_of_image,
    .touches = touches_of_image,
    .run = run_commit,
    .interrupted = "goes on with what is left; an image that is not being migrated counts as committed",
    .bound_image = image_spec_of,
    .left_behind = "the image is whole; its source may stay in the trash of its pool",
};

const Operation migration_abort_operation{
    .name = "rbd/migration/abort",
    .wait_for = std::chrono::seconds(2),
    .permission = {"rbd-image", Access::update},
    .decode = decode_image_only,
    .metadata = metadata_of_image,
    .touches = touches_of_image,
    .run = run_abort,
    .interrupted = "goes on with what is left; an image that is gone or not being migrated counts as aborted",
    .bound_image = image_spec_of,
    .left_behind = "the migration may be half aborted: abort it again",
};

}  // namespace taskd::rbd
