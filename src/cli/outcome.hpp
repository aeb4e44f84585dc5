#pragma once

#include "cli/transport.hpp"

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace taskd::cli {

/// How a request or the waiting for a task ended.
enum class Outcome {
    succeeded,
    failed,       ///< The task failed, or what was asked for does not exist.
    refused,      ///< The daemon did not accept the request: malformed, or not allowed.
    timed_out,    ///< The time to wait is over; the task goes on.
    unreachable,  ///< The daemon does not answer or takes no work now.
};

/// The exit code of the program; the only place that knows them.
int exit_code(Outcome outcome) noexcept;

/// The outcome to exit with when several requests were made: the one a script must hear of first.
Outcome worst(const std::vector<Outcome>& outcomes) noexcept;

/// What an answer that is no success means. `is_task` tells whether a task ran and failed, or the request made none.
Outcome outcome_of_failure(int status, bool is_task) noexcept;

/// The body as JSON; discarded (`is_discarded()`) when it is none.
nlohmann::json body_of(const Answer& answer);

/// What an answer that is no success says, in one line; never empty.
std::string detail_of(const Answer& answer);

/// The id in `X-Task-Id`, if the request made or joined a task.
std::optional<std::string> task_id_of(const Answer& answer);

}  // namespace taskd::cli
