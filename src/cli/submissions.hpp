#pragma once

#include "cli/command_line.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace taskd::cli {

/// The arguments of `rbd create`, as typed; empty is not given.
struct CreateArguments {
    std::string spec{}, pool{}, name_space{}, image{};
    std::string size{}, object_size{}, stripe_unit{}, stripe_count{}, data_pool{};
    std::vector<std::string> features{};       ///< One name each.
    std::vector<std::string> configuration{};  ///< KEY=VALUE
};

/// What these say of how an image is to be made, as members of a body; only what was given.
/// @throws BadRequest (names the option)
nlohmann::json layout_members(const CreateArguments& arguments);

/// A list of features by rbd's names.
/// @throws BadRequest (names the option)
nlohmann::json feature_list(std::string_view option, const std::vector<std::string>& features);

/// The request that creates this image.
/// @throws BadRequest (names the option)
/// @source dashboard `POST /api/block/image`; rbd(8) for the words and their limits.
Submission create_image(const CreateArguments& arguments);

/// The request that removes this image, with its snapshots or, as `rbd rm`, only if it has none.
/// @param id  The id that the image must have; empty: whoever has the name.
/// @throws BadRequest
Submission remove_image(std::string_view spec, std::string_view pool, std::string_view name_space,
                        std::string_view image, bool purge_snapshots, std::string_view id = {});

/// The request that sends a cluster command.
/// @param target  "mon", "mgr", "osd.3", "pg 1.0"; empty leaves the choice to the daemon (or, for JSON, is "mon").
/// @param words   One word that starts with '{' is the command in JSON; else they are the words of the `ceph` tool,
/// which
///                the daemon resolves against the cluster's own command descriptions.
/// @throws BadRequest
Submission cluster_command(const std::string& target, const std::vector<std::string>& words);

}  // namespace taskd::cli
