#pragma once

#include <string_view>

#include <taskd/error.hpp>

namespace taskd::rbd {

/// What was being done, as the dashboard words it, where more than one file does it.
inline constexpr std::string_view creating_image = "error creating image";
inline constexpr std::string_view removing_image = "error removing image";
inline constexpr std::string_view deleting_from_trash = "error deleting image from trash";

/// What EPERM and EACCES mean where no other cause is known; `with_missing_caps` puts names in its place.
inline constexpr std::string_view usual_caps_hint =
    "this Ceph user needs the caps mon 'profile rbd' and osd 'profile rbd' for this pool";

/// A negative return code of librbd as an error of component "rbd", in the words of Ceph's Python binding:
/// `[errno 17] RBD image already exists (error creating image)`, or `[errno 31] error removing image` where it has no
/// class for the errno.
/// @param rc       What librbd returned, negative.
/// @param context  What was being done: "error creating image".
/// @param hint     Cause and what to do next, appended after a colon; empty for the errno's usual one, if it has one.
/// @param extra    For programs: `{"blockers": {…}}`.
/// @source python3-rbd 16.2.15 `make_ex` and the exception classes, read by running them.
Error rbd_error(int rc, std::string_view context, std::string_view hint = {}, nlohmann::json extra = nullptr);

/// `rbd_error` of this kind in place of the errno's own (cancelled for ECANCELED, not_found never, refused for others).
Error rbd_error(ErrorKind kind, int rc, std::string_view context, std::string_view hint,
                nlohmann::json extra = nullptr);

/// `b'img'`: a name as the Python binding prints it inside a context.
std::string python_bytes(std::string_view name);

}  // namespace taskd::rbd
