#include "rbd/error.hpp"
#include "rbd/mirroring_pool.hpp"

#include <array>
#include <cerrno>
#include <memory>

#include <rbd/librbd.h>
#include <taskd/error.hpp>

/// `rbd/mirroring/bootstrap/import`: makes this pool and that of a token peers of each other. The token holds a key of
/// the other cluster, so it is no argument, for arguments are journalled: it lies among the monitors' configuration
/// keys, where librbd keeps the keys of peers, and is taken away when it was imported or refused.
namespace taskd::rbd {
namespace {

using nlohmann::json;

struct BufferFree {
    void operator()(char* buffer) const noexcept { rados_buffer_free(buffer); }
};

struct MonitorSays {
    int rc = 0;
    std::string output;
};

MonitorSays ask_monitors(const ceph::Cluster& cluster, const json& command) {
    const auto text = command.dump();
    std::array<const char*, 1> words{text.c_str()};
    char* output = nullptr;
    std::size_t size = 0;
    const int rc =
        rados_mon_command(cluster.handle(), words.data(), words.size(), nullptr, 0, &output, &size, nullptr, nullptr);
    const std::unique_ptr<char, BufferFree> owner(output);
    return {rc, output == nullptr ? std::string() : std::string(output, size)};
}

json decode_import(const json& given, const Limits&) {
    const Arguments fields(given, {"pool_name", "direction", "token_at"});
    const auto direction = fields.text("direction");
    if (direction != "rx" && direction != "rx-tx") throw BadRequest("direction", "expected \"rx\" or \"rx-tx\"");
    return {
        {"pool_name", decode_mirrored_pool(fields)}, {"direction", direction}, {"token_at", fields.text("token_at")}};
}

json metadata_of_import(const json& arguments) {
    return {{"pool_name", arguments.at("pool_name")}, {"direction", arguments.at("direction")}};
}

json run_import(OperationContext& context, const json& arguments) {
    const auto& key = arguments.at("token_at");
    const auto token = ask_monitors(context.cluster(), {{"prefix", "config-key get"}, {"key", key}});
    if (token.rc == -ENOENT && context.is_repeated()) return json::object();
    if (token.rc < 0) throw rbd_error(token.rc, "error reading bootstrap token");
    const auto io = open_mirrored_pool(context, arguments);
    context.step("import bootstrap token");
    const auto direction =
        arguments.at("direction") == "rx" ? RBD_MIRROR_PEER_DIRECTION_RX : RBD_MIRROR_PEER_DIRECTION_RX_TX;
    const int rc = rbd_mirror_peer_bootstrap_import(io.handle(), direction, token.output.c_str());
    ask_monitors(context.cluster(), {{"prefix", "config-key rm"}, {"key", key}});
    if (rc < 0) throw rbd_error(rc, "error importing bootstrap token");
    return json::object();
}

}  // namespace

const Operation mirroring_bootstrap_import_operation{
    .name = "rbd/mirroring/bootstrap/import",
    .wait_for = std::chrono::seconds(10),
    .permission = {"rbd-mirroring", Access::update},
    .decode = decode_import,
    .metadata = metadata_of_import,
    .touches = touches_of_mirroring,
    .run = run_import,
    .interrupted = "the token is imported again, which changes nothing; one that is gone was imported",
    .left_behind = "the token stays among the configuration keys",
};

}  // namespace taskd::rbd
