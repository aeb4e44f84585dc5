#include "ceph/cluster.hpp"
#include "rbd/error.hpp"
#include "rbd/image_target.hpp"
#include "rbd/operation.hpp"
#include "rbd/pool.hpp"
#include "rbd/removal_plan.hpp"

#include <cerrno>
#include <map>

#include <rbd/features.h>
#include <taskd/error.hpp>

/// `rbd/delete/plan`, of our own: what `rbd/delete` with the same arguments would do, and what is in its way.
namespace taskd::rbd {
namespace {

using nlohmann::json;

constexpr std::size_t most_told = 100;

json metadata_of_delete_plan(const json& arguments) {
    return {{"image_spec", arguments.at("image_spec")}};
}

/// It touches nothing, so it waits for nobody.
Touches touches_of_delete_plan(const json& arguments) {
    return {image_spec_of(arguments).pool, {}};
}

int add_extent(std::uint64_t, std::size_t length, int exists, void* sum) {
    if (exists != 0) *static_cast<std::uint64_t*>(sum) += length;
    return 0;
}

/// The bytes that its data objects take, null where only a look at each of them would tell.
json used_bytes(const Image& image) {
    std::uint64_t flags = 0;
    const bool is_known = (image.features() & RBD_FEATURE_FAST_DIFF) != 0 &&
                          rbd_get_flags(image.handle(), &flags) == 0 && (flags & RBD_FLAG_FAST_DIFF_INVALID) == 0;
    if (!is_known) return nullptr;
    std::uint64_t sum = 0;
    // Without a look at the parent, and whole objects: from the object map alone.
    const int rc = rbd_diff_iterate2(image.handle(), nullptr, 0, image.size_bytes(), 0, 1, add_extent, &sum);
    return rc < 0 ? json(nullptr) : json(sum);
}

/// Of its own data objects; null where a map that holds does not tell how many there are.
json estimated_seconds(const RemovalPlan& plan, const Image& image, const json& used) {
    if (plan.keeps_in_trash) return 0;
    // Without a map all are asked for, also those that never were.
    std::uint64_t flags = 0;
    const bool has_map = (image.features() & RBD_FEATURE_OBJECT_MAP) != 0 &&
                         rbd_get_flags(image.handle(), &flags) == 0 && (flags & RBD_FLAG_OBJECT_MAP_INVALID) == 0;
    if (!has_map) return removal_time(plan.objects).count();
    if (used.is_null()) return nullptr;
    constexpr std::uint64_t looks_per_removal = 100;  // 8 TiB that were never written: 2,097,152 objects in 19.6 s
    return removal_time((used.get<std::uint64_t>() >> image.order()) + plan.objects / looks_per_removal).count();
}

json snapshots_of(const std::vector<Snapshot>& snapshots) {
    json list = json::array();
    for (const auto& snapshot : snapshots)
        if (list.size() < most_told)
            list.push_back({{"name", shown(snapshot.name)},
                            {"size", snapshot.size_bytes},
                            {"is_protected", snapshot.is_protected}});
    return list;
}

json steps_of(const RemovalPlan& plan, const std::string& image) {
    json steps = json::array();
    const auto add = [&steps](std::string step) {
        if (steps.size() < most_told) steps.push_back(std::move(step));
    };
    if (plan.keeps_in_trash) {
        add("move " + image + " to the trash");
        return steps;
    }
    for (const auto& one : plan.flattenings) add("flatten " + shown(one.clone.child.spec));
    for (const auto& snapshot : plan.snapshots) add("remove snapshot " + shown(snapshot.name));
    add("remove " + image);
    return steps;
}

json describe_plan(const RemovalPlan& plan, const Image& image, const ImageSpec& spec) {
    std::vector<Blockers::Clone> flattened;
    for (const auto& one : plan.flattenings) flattened.push_back(one.clone);
    const bool is_possible = plan.blockers.empty();
    const auto used = used_bytes(image);
    return {{"possible", is_possible},
            {"refusal", is_possible ? json(nullptr) : json(plan.blockers.refusal(image.name()).what())},
            {"blockers", plan.blockers.to_json()},
            {"steps", is_possible ? steps_of(plan, shown(spec.format())) : json::array()},
            {"flatten", to_json(flattened)},
            {"snapshots", snapshots_of(plan.snapshots)},
            {"snapshot_count", plan.snapshots.size()},
            {"num_objs", plan.objects},
            {"size", plan.size_bytes},
            {"disk_usage", used},
            {"estimated_seconds", estimated_seconds(plan, image, used)},
            {"moves_to_trash", plan.keeps_in_trash}};
}

/// Of one that cannot be opened: half made, or half removed. Only the rest of it is to be removed.
json describe_rest(const ImageTarget& target, const ImageSpec& spec) {
    const bool is_half_removed = target.state == ImageTarget::State::half_removed;
    return {{"possible", true},
            {"refusal", nullptr},
            {"blockers", json::object()},
            {"steps", {(is_half_removed ? "finish the removal of " : "clear what is left of ") + shown(spec.format())}},
            {"flatten", json::array()},
            {"snapshots", json::array()},
            {"snapshot_count", 0},
            {"num_objs", nullptr},
            {"size", nullptr},
            {"disk_usage", nullptr},
            {"estimated_seconds", nullptr},
            {"moves_to_trash", false}};
}

json run_delete_plan(OperationContext& context, const json& arguments) {
    const auto spec = image_spec_of(arguments);
    const auto id = arguments.value("image_id", std::string{});
    auto io = context.cluster().open_ioctx(spec.pool, spec.ns);
    context.step("look at the image");
    auto target = find_image(io.handle(), spec, id);
    if (target.state == ImageTarget::State::gone && reopen_if_replaced(context.cluster(), spec, io))
        target = find_image(io.handle(), spec, id);
    const bool is_there = target.state == ImageTarget::State::named || target.state == ImageTarget::State::half_removed;
    if (!is_there) throw rbd_error(ErrorKind::not_found, -ENOENT, removing_image, target.why);
    json plan;
    auto image = open_target(io.handle(), target, Image::Mode::read_only);
    if (!image || target.state == ImageTarget::State::half_removed)
        plan = describe_rest(target, spec);
    else
        plan = describe_plan(plan_removal(*image, io.handle(), context.cluster(), RemovalWish::of(arguments)), *image,
                             spec);
    plan.update({{"image_spec", arguments.at("image_spec")}, {"id", target.id}});
    return plan;
}

}  // namespace

const Operation delete_plan_operation{
    .name = "rbd/delete/plan",
    .wait_for = std::chrono::seconds(10),
    .permission = {"rbd-image", Access::read},
    .decode = [](const json& given, const Limits& limits) { return delete_operation.decode(given, limits); },
    .metadata = metadata_of_delete_plan,
    .touches = touches_of_delete_plan,
    .run = run_delete_plan,
    .interrupted = "looks again",
};

}  // namespace taskd::rbd
