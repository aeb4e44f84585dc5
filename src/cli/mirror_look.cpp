#include "cli/commands.hpp"
#include "cli/image_tables.hpp"
#include "cli/target.hpp"

#include <ostream>

// rbd mirror pool info

namespace taskd::cli {
namespace {

using nlohmann::json;

/// What is known of each peer, less its key.
std::optional<json> peers_of(Session& session, const std::string& pool, int& failure) {
    const auto uuids = session.get_any(pool + "/peer", "1.0", failure);
    if (!uuids) return std::nullopt;
    json peers = json::array();
    for (const auto& uuid : *uuids) {
        if (!uuid.is_string()) continue;
        auto peer = session.get(pool + "/peer/" + path_parameter(uuid.get<std::string>()), failure);
        if (!peer) return std::nullopt;
        peer->erase("key");
        peers.push_back(*std::move(peer));
    }
    return peers;
}

}  // namespace

int run_look_at_mirroring(Session& session, const LookAtMirroring& look) {
    int failure = 0;
    const auto pool = "/api/block/mirroring/pool/" + path_parameter(look.pool);
    auto mirroring = session.get(pool, failure);
    if (!mirroring) return failure;
    const auto site = session.get("/api/block/mirroring/site_name", failure);
    if (!site) return failure;
    auto peers = peers_of(session, pool, failure);
    if (!peers) return failure;
    mirroring->update(*site);
    (*mirroring)["peers"] = *std::move(peers);
    if (session.as_json())
        session.print_json(*mirroring);
    else
        session.surroundings().console.out << mirroring_info(*mirroring) << std::flush;
    return 0;
}

}  // namespace taskd::cli
