#include "rbd/mirroring_pool.hpp"

#include "rbd/error.hpp"
#include "rbd/layout_arguments.hpp"
#include "rbd/pool.hpp"

#include <array>
#include <cerrno>

#include <rbd/librbd.h>

/// `rbd/mirroring/site_name/edit` and `rbd/mirroring/pool/edit`: how this cluster calls itself to its peers, and what
/// of a pool is mirrored.
namespace taskd::rbd {
namespace {

using nlohmann::json;

constexpr std::array<const char*, 3> modes{"disabled", "image", "pool"};  // RBD_MIRROR_MODE_*

json decode_site_name_edit(const json& given, const Limits&) {
    return {{"site_name", Arguments(given, {"site_name"}).text("site_name")}};
}

json metadata_of_site_name(const json& arguments) {
    return arguments;
}

Touches touches_nothing(const json&) {
    return {};
}

json run_site_name_edit(OperationContext& context, const json& arguments) {
    const auto& name = arguments.at("site_name").get_ref<const std::string&>();
    context.step("set site name");
    const int rc = rbd_mirror_site_name_set(context.cluster().handle(), name.c_str());
    if (rc < 0) throw rbd_error(rc, "error setting site name");
    // An empty one takes the name away, and the cluster's id stands for it.
    return {{"site_name", name.empty() ? context.cluster().fsid() : name}};
}

json decode_pool_edit(const json& given, const Limits&) {
    const Arguments fields(given, {"pool_name", "mirror_mode"});
    json result = {{"pool_name", decode_mirrored_pool(fields)}};
    const auto mode = fields.optional_text("mirror_mode").value_or("");
    if (mode.empty()) return result;
    result["mirror_mode"] = fields.choice("mirror_mode", {modes[0], modes[1], modes[2]});
    return result;
}

json metadata_of_pool_edit(const json& arguments) {
    return {{"pool_name", arguments.at("pool_name")}};
}

json run_pool_edit(OperationContext& context, const json& arguments) {
    const auto io = open_mirrored_pool(context, arguments);
    if (!arguments.contains("mirror_mode")) return nullptr;
    std::size_t wanted = 0;
    while (arguments.at("mirror_mode") != modes[wanted]) ++wanted;
    rbd_mirror_mode_t current{};
    int rc = rbd_mirror_mode_get(io.handle(), &current);
    if (rc < 0) throw rbd_error(rc, "error getting mirror mode");
    if (wanted == static_cast<std::size_t>(current)) return nullptr;
    context.step("set mirror mode");
    rc = rbd_mirror_mode_set(io.handle(), static_cast<rbd_mirror_mode_t>(wanted));
    if (rc < 0) throw rbd_error(rc, "error setting mirror mode");
    return nullptr;
}

}  // namespace

std::string decode_mirrored_pool(const Arguments& fields) {
    auto pool = fields.text("pool_name");
    check_existing_name(pool, "pool_name");
    return pool;
}

ceph::Ioctx open_mirrored_pool(OperationContext& context, const json& arguments) {
    return open_pool(context.cluster(), arguments.at("pool_name").get_ref<const std::string&>(), "rbd-mirroring");
}

Touches touches_of_mirroring(const json& arguments) {
    return {arguments.at("pool_name"), {}};
}

const Operation mirroring_site_name_edit_operation{
    .name = "rbd/mirroring/site_name/edit",
    .wait_for = std::chrono::seconds(10),
    .permission = {"rbd-mirroring", Access::update},
    .decode = decode_site_name_edit,
    .metadata = metadata_of_site_name,
    .touches = touches_nothing,
    .run = run_site_name_edit,
    .interrupted = "the name is set again",
};

const Operation mirroring_pool_edit_operation{
    .name = "rbd/mirroring/pool/edit",
    .wait_for = std::chrono::seconds(5),
    .permission = {"rbd-mirroring", Access::update},
    .decode = decode_pool_edit,
    .metadata = metadata_of_pool_edit,
    .touches = touches_of_mirroring,
    .run = run_pool_edit,
    .interrupted = "a mode that is set already is left",
};

}  // namespace taskd::rbd
