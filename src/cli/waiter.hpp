#pragma once

#include "cli/outcome.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <variant>

#include <nlohmann/json.hpp>
#include <taskd/clock.hpp>

namespace taskd::cli {

/// How long a waiter waits and how it asks.
struct WaitLimits {
    std::optional<SteadyTime> deadline{};    ///< Nothing: until the task ends.
    std::chrono::seconds hold{1};            ///< How long the daemon is asked to keep an answer back.
    std::chrono::milliseconds spacing{250};  ///< Between the starts of two questions, at least.
    std::chrono::seconds reconnect{60};  ///< How long a daemon that does not answer is tried when there is no deadline.
    bool accepted = false;               ///< The daemon is known to have had the task.
    std::chrono::seconds recovery{5};    ///< How long a daemon that came back may not know the task.
};

/// Waits for one task by asking for it again and again. Decisions only: it is told answers and times, and says what to
/// ask next and when.
///
///     asking ──unfinished──▶ asking                      ask again, with hold
///       │  └──finished, unknown, refused──▶ over
///       └──no answer──▶ reconnecting ──no answer──▶ reconnecting     ask again after a growing pause
///                             └──any answer──▶ as asking
///     the deadline, or too long without an answer ──▶ over
///
class Waiter {
  public:
    /// Ask `GET /api/task/{id}?wait=hold` at `at`, not earlier.
    struct Ask {
        SteadyTime at;
        std::chrono::seconds hold{0};
    };
    struct Over {};
    using Action = std::variant<Ask, Over>;

    Waiter(std::string id, WaitLimits limits);

    /// The first question.
    Action begin(SteadyTime now);
    /// The daemon answered the question that was asked at `asked_at`.
    Action on_answer(const Answer& answer, SteadyTime asked_at, SteadyTime now);
    /// Nobody answered.
    Action on_no_answer(const std::string& reason, SteadyTime now);

    const std::string& id() const noexcept { return id_; }
    bool is_over() const noexcept { return outcome_.has_value(); }
    /// Only once it is over.
    Outcome outcome() const { return outcome_.value(); }
    /// Why it did not succeed, in one line; empty when it did.
    const std::string& message() const noexcept { return message_; }
    /// The daemon's last object of the task; null when there was none.
    const nlohmann::json& task() const noexcept { return task_; }
    /// Why the daemon cannot be asked at the moment; empty when it can.
    const std::string& trouble() const noexcept { return trouble_; }

  private:
    Action take(nlohmann::json task, SteadyTime asked_at, SteadyTime now);
    Action retry(const std::string& reason, SteadyTime now);
    Action ask(SteadyTime earliest, std::chrono::seconds hold, SteadyTime now);
    Action end(Outcome outcome, std::string message);

    std::string id_;
    WaitLimits limits_;
    nlohmann::json task_ = nullptr;
    std::optional<Outcome> outcome_;
    std::string message_;
    std::string trouble_;
    std::optional<SteadyTime> trouble_since_;
    std::optional<SteadyTime> unknown_since_;
    std::chrono::milliseconds next_pause_{0};
    bool was_lost_ = false;  ///< The daemon did not answer since the last object: it may have been started again.
};

}  // namespace taskd::cli
