#pragma once

#include <string>
#include <string_view>

#include <taskd/error.hpp>

namespace taskd::ceph {

/// What a negative return code of librados means, in the words of Ceph's Python binding, which the dashboard shows:
/// `[errno 2] RADOS object not found (error opening pool 'x')`. The one place where such a code becomes an error.
/// @param rc         As librados gave it; the sign does not matter.
/// @param context    What was being done to which object.
/// @param component  "rados", "pool", "mon", …
/// @source  python3-rados 16.2.15: the texts of its exception classes.
Error rados_error(int rc, std::string_view context, std::string component = "rados");

/// The words alone: "RADOS object not found".
std::string rados_error_text(int rc);

}  // namespace taskd::ceph
