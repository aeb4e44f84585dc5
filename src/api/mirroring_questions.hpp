#pragma once

#include "api/services.hpp"
#include "http/awaitable.hpp"
#include "rbd/lister.hpp"

#include <cstdint>
#include <memory>
#include <string>

#include <nlohmann/json.hpp>

namespace taskd::api {

/// @throws Error  of component "rbd-mirroring" when there is no such pool, as the dashboard says it
http::net::awaitable<rbd::MirroringAnswer> mirroring_of(std::shared_ptr<const Services> services, std::string pool);

/// `config-key get` as a command.
nlohmann::json config_key_get(const std::string& key);

/// Where librbd keeps how to reach a peer: `{"mon_host", "key"}`.
/// @source  librbd `rbd_mirror_peer_site_get_attributes`
std::string peer_attributes_key(std::int64_t pool, const std::string& uuid);

/// What is there; an empty object when nothing is.
http::net::awaitable<nlohmann::json> peer_attributes(std::shared_ptr<const Services> services, std::int64_t pool,
                                                     std::string uuid);

}  // namespace taskd::api
