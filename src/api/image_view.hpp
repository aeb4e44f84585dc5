#pragma once

#include "rbd/lister.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace taskd::api {

/// What the dashboard's clients get of images: its objects, key for key and type for type. Bodies are text, as most of
/// one are the 77 options that every image repeats.
/// @source  dashboard-contract.md 4.1, 4.2; `_rbd_image` in dashboard services/rbd.py 16.2.15

using OptionsOf = std::function<std::vector<rbd::ImageOption>(const rbd::ImageOptions::Overrides& pool,
                                                              const rbd::ImageOptions::Overrides& image)>;

/// `[{"value": [image, …], "pool_name"}, …]`, one for each pool with an image on the page. A pool that does not answer
/// has `"status": 3` and `"exception"` beside these, which the dashboard's page knows from its other lists.
/// @param options  What holds for an image: `rbd::ImageOptions::effective`.
/// @param schedules  Of the images that are mirrored by snapshots.
std::string image_list_text(const rbd::ImageList& list, const OptionsOf& options,
                            const rbd::NextSnapshots& schedules = {});

/// The object of one image.
std::string image_text(const rbd::ImageAnswer& answer, const OptionsOf& options,
                       const rbd::NextSnapshots& schedules = {});

/// `[{"status", "value": [entry, …], "pool_name"}, …]`; 2 is the status of a pool that did not answer.
nlohmann::json trash_view(const std::vector<rbd::TrashAnswer>& trash);

/// "USER", "MIRRORING", "MIGRATION", "REMOVING", "USER_PARENT".
std::string trash_source_name(std::uint8_t source);

/// A name as JSON shows it: each byte that is no UTF-8 becomes U+FFFD, and `name_b64` has them all.
void put_name(nlohmann::json& object, const std::string& name);

}  // namespace taskd::api
