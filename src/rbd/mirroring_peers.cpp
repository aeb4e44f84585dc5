#include "rbd/error.hpp"
#include "rbd/mirroring_pool.hpp"

#include <array>
#include <cerrno>

#include <rbd/librbd.h>
#include <taskd/error.hpp>

/// `rbd/mirroring/peer/add`, `edit` and `delete`: the clusters that a pool is mirrored with. How a peer is reached and
/// its key are no arguments of theirs, for arguments are journalled: the front writes them where librbd reads them.
namespace taskd::rbd {
namespace {

using nlohmann::json;

constexpr std::size_t uuid_bytes = 64;  // of which librbd uses 37
constexpr int most_peers = 64;          // librbd takes one

std::string client_name(const json& arguments) {
    return "client." + arguments.at("client_id").get<std::string>();
}

std::string text_of(const json& arguments, const char* field) {
    return arguments.at(field).get<std::string>();
}

std::string not_empty(std::string text, std::string_view field) {
    if (text.empty()) throw BadRequest(field, "must not be empty");
    return text;
}

/// Empty when there is none of that name.
std::string uuid_of_site(const ceph::Ioctx& io, const std::string& site) {
    std::array<rbd_mirror_peer_site_t, most_peers> peers{};
    int count = most_peers;
    const int rc = rbd_mirror_peer_site_list(io.handle(), peers.data(), &count);
    if (rc < 0) throw rbd_error(rc, "error listing peers");
    std::string uuid;
    for (int at = 0; at < count; ++at)
        if (site == peers[static_cast<std::size_t>(at)].site_name) uuid = peers[static_cast<std::size_t>(at)].uuid;
    rbd_mirror_peer_site_list_cleanup(peers.data(), count);
    return uuid;
}

json decode_peer_add(const json& given, const Limits&) {
    const Arguments fields(given, {"pool_name", "cluster_name", "client_id"});
    return {{"pool_name", decode_mirrored_pool(fields)},
            {"cluster_name", not_empty(fields.text("cluster_name"), "cluster_name")},
            {"client_id", not_empty(fields.text("client_id"), "client_id")}};
}

json metadata_of_peer_add(const json& arguments) {
    return {{"pool_name", arguments.at("pool_name")}, {"cluster_name", arguments.at("cluster_name")}};
}

json run_peer_add(OperationContext& context, const json& arguments) {
    const auto io = open_mirrored_pool(context, arguments);
    const auto site = text_of(arguments, "cluster_name");
    rbd_mirror_mode_t mode{};
    int rc = rbd_mirror_mode_get(io.handle(), &mode);
    if (rc < 0) throw rbd_error(rc, "error getting mirror mode");
    if (mode == RBD_MIRROR_MODE_DISABLED)
        throw Error(ErrorKind::refused, 0, "rbd", "mirroring must be enabled", {{"code", "Error"}});
    context.step("add peer");
    std::array<char, uuid_bytes> uuid{};
    rc = rbd_mirror_peer_site_add(io.handle(), uuid.data(), uuid.size(), RBD_MIRROR_PEER_DIRECTION_RX_TX, site.c_str(),
                                  client_name(arguments).c_str());
    if (rc == -EEXIST && context.is_repeated()) return {{"uuid", uuid_of_site(io, site)}};
    if (rc < 0) throw rbd_error(rc, "error adding mirror peer");
    return {{"uuid", uuid.data()}};
}

json decode_peer_edit(const json& given, const Limits&) {
    const Arguments fields(given, {"pool_name", "peer_uuid", "cluster_name", "client_id"});
    json result = {{"pool_name", decode_mirrored_pool(fields)}, {"peer_uuid", fields.text("peer_uuid")}};
    for (const auto* field : {"cluster_name", "client_id"})
        if (const auto text = fields.optional_text(field).value_or(""); !text.empty()) result[field] = text;
    return result;
}

json metadata_of_peer(const json& arguments) {
    return {{"pool_name", arguments.at("pool_name")}, {"peer_uuid", arguments.at("peer_uuid")}};
}

json run_peer_edit(OperationContext& context, const json& arguments) {
    const auto io = open_mirrored_pool(context, arguments);
    const auto uuid = text_of(arguments, "peer_uuid");
    if (arguments.contains("cluster_name")) {
        context.step("set name of peer");
        const int rc =
            rbd_mirror_peer_site_set_name(io.handle(), uuid.c_str(), text_of(arguments, "cluster_name").c_str());
        if (rc < 0) throw rbd_error(rc, "error setting mirror peer site name");
    }
    if (arguments.contains("client_id")) {
        context.step("set client of peer");
        const int rc = rbd_mirror_peer_site_set_client_name(io.handle(), uuid.c_str(), client_name(arguments).c_str());
        if (rc < 0) throw rbd_error(rc, "error setting mirror peer client name");
    }
    return nullptr;
}

json decode_peer_delete(const json& given, const Limits&) {
    const Arguments fields(given, {"pool_name", "peer_uuid"});
    return {{"pool_name", decode_mirrored_pool(fields)}, {"peer_uuid", fields.text("peer_uuid")}};
}

json run_peer_delete(OperationContext& context, const json& arguments) {
    const auto io = open_mirrored_pool(context, arguments);
    context.step("remove peer");
    const int rc = rbd_mirror_peer_site_remove(io.handle(), text_of(arguments, "peer_uuid").c_str());
    if (rc == -ENOENT && context.is_repeated()) return nullptr;
    if (rc < 0) throw rbd_error(rc, "error removing mirror peer");
    return nullptr;
}

}  // namespace

const Operation mirroring_peer_add_operation{
    .name = "rbd/mirroring/peer/add",
    .wait_for = std::chrono::seconds(10),
    .permission = {"rbd-mirroring", Access::create},
    .decode = decode_peer_add,
    .metadata = metadata_of_peer_add,
    .touches = touches_of_mirroring,
    .run = run_peer_add,
    .interrupted = "a peer of that name counts as added",
};

const Operation mirroring_peer_edit_operation{
    .name = "rbd/mirroring/peer/edit",
    .wait_for = std::chrono::seconds(10),
    .permission = {"rbd-mirroring", Access::update},
    .decode = decode_peer_edit,
    .metadata = metadata_of_peer,
    .touches = touches_of_mirroring,
    .run = run_peer_edit,
    .interrupted = "all is set again",
};

const Operation mirroring_peer_delete_operation{
    .name = "rbd/mirroring/peer/delete",
    .wait_for = std::chrono::seconds(10),
    .permission = {"rbd-mirroring", Access::remove},
    .decode = decode_peer_delete,
    .metadata = metadata_of_peer,
    .touches = touches_of_mirroring,
    .run = run_peer_delete,
    .interrupted = "a peer that is gone counts as removed",
};

}  // namespace taskd::rbd
