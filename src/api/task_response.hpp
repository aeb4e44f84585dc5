#pragma once

#include "api/version.hpp"
#include "http/awaitable.hpp"
#include "http/message.hpp"

#include <chrono>
#include <memory>
#include <string>

#include <taskd/task.hpp>

namespace taskd::api {

/// How long a request waits for its task, and what it answers when the task succeeds in that time.
struct TaskAnswer {
    std::chrono::milliseconds wait_for;
    int success = 200;  ///< 204 answers without the value.
    Version version = {};
    /// How long the answer waits, if `wait_for` is less, until the task is durable; then it is refused.
    std::chrono::milliseconds accept_within{2'000};
};

/// How long this request waits for its task: not at all when it says `Prefer: respond-async` (RFC 7240).
std::chrono::milliseconds wait_time(const http::Request& request, std::chrono::milliseconds usual);

/// Waits for the task without holding a thread, then answers: the success status and the value; the failure with its
/// status; or 202 with name and metadata, and the task goes on; or 503 when it could not be made durable. `X-Task-Id`
/// names the task in each case.
/// @source  dashboard-contract.md 3
http::net::awaitable<http::Response> answer_with_task(std::shared_ptr<Task> task, TaskAnswer answer);

/// Of what the dashboard does within the request: its failures name no task and have no status in the body.
http::Response without_task(http::Response response);

/// Waits until the task has finished or the time is over. @returns whether it has finished.
http::net::awaitable<bool> wait_for_task(std::shared_ptr<Task> task, std::chrono::milliseconds timeout);
/// Waits until the task is accepted or has ended without, or the time is over.
http::net::awaitable<void> wait_until_accepted(std::shared_ptr<Task> task, std::chrono::milliseconds timeout);

/// JSON as it goes over the wire: bytes that are no UTF-8 are replaced.
std::string to_text(const nlohmann::json& body);
/// 200 with this text, which is JSON.
http::Response json_text_response(std::string body, Version version = {});
/// 200 with this JSON, of an endpoint of this version.
http::Response json_response(const nlohmann::json& body, Version version = {});

}  // namespace taskd::api
