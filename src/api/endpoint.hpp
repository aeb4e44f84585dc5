#pragma once

#include "api/services.hpp"
#include "api/version.hpp"
#include "http/router.hpp"

#include <functional>
#include <memory>

namespace taskd::api {

/// A controller's function: answers at once, or as a coroutine, which owns its arguments.
using Now = std::function<http::Response(const Services& services, const http::Request& request)>;
using Later = std::function<http::net::awaitable<http::Response>(std::shared_ptr<const Services> services,
                                                                 http::Request request)>;

/// A controller's function as the router takes it: the version is checked first; a front that is not active answers 303
/// to the active one, or 503; and whatever the function throws becomes the answer that error_view describes.
http::SyncHandler endpoint(Access access, Now handler, Version version = {});
http::Handler endpoint(Access access, Later handler, Version version = {});

/// What a front answers that is not the active one.
http::Response answer_of_standby(const Access::Standing& standing, const http::Request& request);

}  // namespace taskd::api
