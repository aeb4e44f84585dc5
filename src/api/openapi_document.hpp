#pragma once

#include "page/assets.hpp"

#include <span>

namespace taskd::api {

/// What describes all routes, for programs: one file, made of those in openapi/.
///
/// @thread Any.
/// @source OpenAPI 3.1.0
std::span<const page::Asset> openapi_document();

}  // namespace taskd::api
