#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

namespace taskd::rbd {

/// How many daemons and pools of mirroring are not well, as the dashboard's summary counts them.
struct MirroringHealth {
    int warnings = 0;
    int errors = 0;

    bool operator==(const MirroringHealth&) const = default;
};

/// @param modes   RBD_MIRROR_MODE_* of each pool for images; nullopt where the pool does not tell.
/// @param status  The mgr's answer to `service status`; what is not of the form expected counts as absent.
/// @source  dashboard controllers/rbd_mirroring.py `get_daemons_and_pools`, controllers/summary.py
MirroringHealth judge_mirroring(const std::map<std::string, std::optional<std::uint32_t>>& modes,
                                const nlohmann::json& status);

}  // namespace taskd::rbd
