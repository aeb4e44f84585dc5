#pragma once

#include "rbd/operation.hpp"

#include <exception>
#include <string>

#include <nlohmann/json.hpp>

namespace taskd::rbd {

/// What an operation failed with; when the Ceph user may not do it (EPERM, EACCES of librbd or librados), with the
/// user's name and the caps that it needs for the pools and namespaces that the operation touches, in words and as
/// `{"missing_caps": {"user", "mon", "osd"}}`. An EPERM with a cause of its own (an image that the trash keeps until
/// later) stays as it is.
/// @param user  "client.ceph-taskd"
std::exception_ptr with_missing_caps(std::exception_ptr failure, const std::string& user, const Operation& operation,
                                     const nlohmann::json& arguments);

}  // namespace taskd::rbd
