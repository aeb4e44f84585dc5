#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace taskd::cli {

/// The text as a path parameter of the daemon, which decodes path parameters twice, as the dashboard does: "rbd/a b" is
/// "rbd%2Fa%20b"; a text with a '%' of its own is encoded twice.
/// @source  `http::decode_path_parameter`; dashboard-contract.md 0.2
std::string path_parameter(std::string_view text);

/// An image as rbd names it: `[pool/[namespace/]]image`.
struct ImageSpec {
    std::string pool;
    std::string name_space{};  ///< Empty for the default namespace.
    std::string image;

    /// `pool/[namespace/]image`, as task metadata and the path of a request have it.
    std::string text() const;
    bool operator==(const ImageSpec&) const = default;
};

/// Puts together an image spec from rbd's positional argument and its options; empty strings are options not given.
/// The pool is "rbd" when nothing names one.
/// @throws BadRequest (too many parts, an empty part, an option that contradicts the spec, no image)
ImageSpec image_spec(std::string_view spec, std::string_view pool, std::string_view name_space, std::string_view image);

/// Whether this has the form of a task id: 26 characters of [0-9A-Z].
bool looks_like_task_id(std::string_view text);

/// What a task is about, in one short line made from its metadata: "rbd/vm-1", "osd pool ls", "pool=a size=3".
std::string task_subject(const nlohmann::json& metadata);

}  // namespace taskd::cli
