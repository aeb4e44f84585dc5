#pragma once

#include "http/message.hpp"

#include <exception>

#include <nlohmann/json_fwd.hpp>
#include <taskd/error.hpp>

namespace taskd {
class Task;
}

namespace taskd::api {

/// The one place where a kind of error becomes an HTTP status.
int http_status(ErrorKind kind) noexcept;

/// What the dashboard lists as a failed task's `exception` and answers as the body when the task failed in time:
/// `{"detail", "code", "component", "status", "task": {"name", "metadata"}}`, and what the error carries beside these.
/// @source  dashboard-contract.md 0.3, 3 item 4
nlohmann::json task_failure_view(std::exception_ptr error, const Task& task);

/// The answer to a request that failed outside of a task: `{"detail", "code", "component"}` with its status.
http::Response failure_response(std::exception_ptr error);

}  // namespace taskd::api
