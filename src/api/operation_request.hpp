#pragma once

#include "api/services.hpp"
#include "http/awaitable.hpp"
#include "http/message.hpp"

#include <string_view>

#include <nlohmann/json.hpp>

namespace taskd::api {

/// Submits an operation and answers with its task, after the operation's own wait time at the latest.
/// `priority` and `deadline` (seconds) of the query say how it is to be run; they are no arguments of the operation.
/// @param success  The status when it succeeds in time.
/// @throws BadRequest, Error, QueueFull: no task was made.
http::net::awaitable<http::Response> run_operation(const Services& services, std::string_view name,
                                                   nlohmann::json arguments, const http::Request& request, int success);

}  // namespace taskd::api
