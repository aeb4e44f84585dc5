#pragma once

#include "http/router.hpp"
#include "page/assets.hpp"

namespace taskd::api {

/// Answers with a file that is built in, which a client that has it is not sent again. It holds no data, so everybody
/// gets it, from a standby too.
http::SyncHandler asset_handler(const page::Asset& asset);

}  // namespace taskd::api
