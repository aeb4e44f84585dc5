#pragma once

#include "api/services.hpp"
#include "http/awaitable.hpp"

#include <memory>

#include <nlohmann/json.hpp>

namespace taskd::api {

/// What a monitor answered to a question.
struct MonitorAnswer {
    int return_code = 0;    ///< 0 or a negative errno.
    nlohmann::json output;  ///< JSON, or text where it is none.
};

/// Asks the monitors something that changes nothing, and waits without holding a thread: a few seconds at most.
/// @throws Error (unavailable) when they do not answer; what the port throws
http::net::awaitable<MonitorAnswer> ask_monitors(std::shared_ptr<const Services> services, nlohmann::json command);

}  // namespace taskd::api
