#pragma once

#include "api/version.hpp"
#include "http/router.hpp"

namespace taskd::api {

/// A controller's function as the router takes it: the version is checked first, and whatever it throws becomes the
/// answer that error_view describes.
http::SyncHandler endpoint(http::SyncHandler handler, Version version = {});
http::Handler endpoint(http::Handler handler, Version version = {});

}  // namespace taskd::api
