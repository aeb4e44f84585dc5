#include "rbd/blockers.hpp"
#include "rbd/directory.hpp"
#include "rbd/error.hpp"
#include "rbd/image_work.hpp"
#include "rbd/removal_by_trash.hpp"
#include "rbd/snapshot_arguments.hpp"

#include <cerrno>

#include <taskd/error.hpp>

/// `rbd/trash/move`. librbd would take the image away from under a client that has it open; here that needs `force`.
namespace taskd::rbd {
namespace {

using nlohmann::json;

constexpr std::string_view moving = "error moving image to trash";
constexpr std::uint64_t longest_delay_s = std::uint64_t{100} * 366 * 24 * 3600;

json decode_trash_move(const json& given, const Limits&) {
    const Arguments fields(given, {"image_spec", "image_id", "delay", "force"});
    json result = json::object();
    decode_image(fields, result);
    result["delay"] = fields.optional_number("delay", longest_delay_s).value_or(0);
    if (result["delay"] == removal_mark_seconds)
        throw BadRequest("delay", "of just so many seconds is the mark of an image that is being removed");
    result["force"] = fields.optional_flag("force").value_or(false);
    return result;
}

json metadata_of_trash_move(const json& arguments) {
    return {{"image_spec", arguments.at("image_spec")}};
}

void refuse_if_blocked(OperationContext& context, const ImageWork& work, bool force) {
    auto image = open_target(work.pool(), work.target(), Image::Mode::read_only);
    if (!image) return;  // without a header: nobody can have it open, and librbd says what it makes of it
    auto blockers = find_blockers(*image, work.pool(), context.cluster(), SnapshotPlan::keep);
    if (!blockers.watchers.empty() && context.is_repeated()) blockers.watchers = watchers_alive(context, *image);
    if (force) blockers.watchers.clear();
    if (!blockers.empty()) throw blockers.refusal(work.target().name, moving);
}

/// An attempt that died in the midst of the move leaves an image that has no name any more and that the trash neither
/// gives back nor removes (EBUSY). Moving its name again finishes that; librbd says ENOENT where there is nothing to
/// finish. It would take any other image that has the name by now, so that one is asked for first.
void finish_move(const ImageWork& work, std::uint64_t delay_s) {
    const auto& name = work.target().name;
    if (id_of_image(work.pool(), name)) return;
    const int rc = rbd_trash_move(work.pool(), name.c_str(), delay_s);
    if (rc < 0 && rc != -ENOENT) throw rbd_error(rc, moving);
}

json run_trash_move(OperationContext& context, const json& arguments) {
    ImageWork work(context, arguments);
    try {
        work.find(moving);
    } catch (const Error&) {
        const bool is_done = work.target().state == ImageTarget::State::in_trash && context.is_repeated();
        if (!is_done) throw;
        finish_move(work, arguments.at("delay").get<std::uint64_t>());
        return nullptr;
    }
    context.step("look for what is in the way");
    refuse_if_blocked(context, work, arguments.at("force").get<bool>());
    context.step("move to the trash");
    work.stop_if_requested(moving, "nothing was changed");
    const int rc = rbd_trash_move(work.pool(), work.target().name.c_str(), arguments.at("delay").get<std::uint64_t>());
    if (rc < 0) throw rbd_error(rc, moving);
    return nullptr;
}

}  // namespace

const Operation trash_move_operation{
    .name = "rbd/trash/move",
    .wait_for = std::chrono::seconds(2),
    .permission = {"rbd-image", Access::create},
    .decode = decode_trash_move,
    .metadata = metadata_of_trash_move,
    .touches = touches_of_image,
    .run = run_trash_move,
    .interrupted = "the image of that id in the trash counts as moved, a move that was cut off is finished",
    .bound_image = image_spec_of,
};

}  // namespace taskd::rbd
