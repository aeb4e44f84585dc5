#include "cli/waiter.hpp"

#include "cli/render.hpp"

#include <algorithm>

namespace taskd::cli {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds first_pause = 250ms;
constexpr std::chrono::milliseconds longest_pause = 4s;

bool says_try_again(int status) {
    return status == 408 || status == 429 || status >= 500;
}

bool is_task_object(const nlohmann::json& body) {
    return body.is_object() && body.contains("state") && body["state"].is_string();
}

}  // namespace

Waiter::Waiter(std::string id, WaitLimits limits) : id_(std::move(id)), limits_(limits) {}

Waiter::Action Waiter::begin(SteadyTime now) {
    // Asked even when the time is over already, so that --timeout 0 is one look.
    return Ask{now, limits_.deadline
                        ? std::clamp(std::chrono::ceil<std::chrono::seconds>(*limits_.deadline - now), 0s, limits_.hold)
                        : limits_.hold};
}

Waiter::Action Waiter::on_answer(const Answer& answer, SteadyTime asked_at, SteadyTime now) {
    if (answer.status == 200) {
        nlohmann::json body = body_of(answer);
        if (is_task_object(body)) return take(std::move(body), asked_at, now);
        return retry("the daemon's answer is not a task", now);
    }
    if (answer.status == 404) {
        // It may have been started again and not have read its journal yet.
        const bool is_strange = was_lost_ || (limits_.accepted && task_.is_null());
        if (is_strange && !unknown_since_) unknown_since_ = now;
        if (is_strange && now - *unknown_since_ < limits_.recovery) {
            return retry("the daemon does not know the task (yet)", now);
        }
        if (task_.is_null() && !limits_.accepted) return end(Outcome::failed, "there is no task " + id_);
        return end(Outcome::failed, "the daemon does not know task " + id_ + " any more; how it ended is not known");
    }
    if (says_try_again(answer.status)) return retry(detail_of(answer), now);
    return end(outcome_of_failure(answer.status, false), detail_of(answer));
}

Waiter::Action Waiter::on_no_answer(const std::string& reason, SteadyTime now) {
    was_lost_ = true;
    return retry(reason, now);
}

Waiter::Action Waiter::take(nlohmann::json task, SteadyTime asked_at, SteadyTime now) {
    task_ = std::move(task);
    trouble_.clear();
    trouble_since_.reset();
    unknown_since_.reset();
    was_lost_ = false;
    if (task_["state"] != "finished") return ask(asked_at + limits_.spacing, limits_.hold, now);

    const auto success = task_.find("success");
    if (success != task_.end() && success->is_boolean() && success->get<bool>()) return end(Outcome::succeeded, "");
    const auto exception = task_.find("exception");
    return end(Outcome::failed, failure_text(exception == task_.end() ? nlohmann::json() : *exception));
}

Waiter::Action Waiter::retry(const std::string& reason, SteadyTime now) {
    if (!trouble_since_) {
        trouble_since_ = now;
        next_pause_ = first_pause;
    }
    trouble_ = reason;
    if (!limits_.deadline && now - *trouble_since_ >= limits_.reconnect) {  // with a deadline, that alone decides
        return end(Outcome::unreachable,
                   "no answer about task " + id_ + " for " +
                       format_duration(std::chrono::duration<double>(now - *trouble_since_).count()) + ": " + reason);
    }
    const std::chrono::milliseconds pause = next_pause_;
    next_pause_ = std::min(2 * next_pause_, longest_pause);
    return ask(now + pause, 0s, now);
}

Waiter::Action Waiter::ask(SteadyTime earliest, std::chrono::seconds hold, SteadyTime now) {
    earliest = std::max(earliest, now);
    if (!limits_.deadline) return Ask{earliest, hold};
    if (now >= *limits_.deadline) {
        if (!trouble_.empty()) return end(Outcome::unreachable, "no answer about task " + id_ + ": " + trouble_);
        return end(Outcome::timed_out, "task " + id_ + " has not finished in time");
    }
    earliest = std::min(earliest, *limits_.deadline);
    const auto left = std::chrono::ceil<std::chrono::seconds>(*limits_.deadline - earliest);
    return Ask{earliest, std::min(hold, left)};
}

Waiter::Action Waiter::end(Outcome outcome, std::string message) {
    outcome_ = outcome;
    message_ = std::move(message);
    return Over{};
}

}  // namespace taskd::cli
