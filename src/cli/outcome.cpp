#include "cli/outcome.hpp"

#include "cli/render.hpp"

#include <algorithm>
#include <array>

namespace taskd::cli {

int exit_code(Outcome outcome) noexcept {
    switch (outcome) {
        case Outcome::succeeded:
            return 0;
        case Outcome::failed:
            return 1;
        case Outcome::refused:
            return 2;
        case Outcome::timed_out:
            return 3;
        case Outcome::unreachable:
            return 4;
    }
    return 1;
}

Outcome worst(const std::vector<Outcome>& outcomes) noexcept {
    constexpr std::array order{Outcome::unreachable, Outcome::failed, Outcome::refused, Outcome::timed_out};
    for (const Outcome candidate : order) {
        if (std::ranges::find(outcomes, candidate) != outcomes.end()) return candidate;
    }
    return Outcome::succeeded;
}

Outcome outcome_of_failure(int status, bool is_task) noexcept {
    if (is_task) return Outcome::failed;
    if (status == 429 || (status >= 502 && status <= 504)) return Outcome::unreachable;
    // 404 and 409 speak of an object, as a failed task would; the other 4xx of what we sent.
    if (status == 404 || status == 409 || status >= 500) return Outcome::failed;
    return Outcome::refused;
}

nlohmann::json body_of(const Answer& answer) {
    return nlohmann::json::parse(answer.body, nullptr, false);
}

std::string detail_of(const Answer& answer) {
    const nlohmann::json body = body_of(answer);
    const std::string status = "HTTP status " + std::to_string(answer.status);
    if (!body.is_object()) return "the daemon answered with " + status;
    const auto detail = body.find("detail");
    if (detail == body.end() || !detail->is_string() || detail->get_ref<const std::string&>().empty()) {
        return "the daemon answered with " + status + " and no reason";
    }
    return printable(detail->get_ref<const std::string&>());
}

std::optional<std::string> task_id_of(const Answer& answer) {
    const auto header = answer.headers.find("x-task-id");
    if (header == answer.headers.end() || header->second.empty()) return std::nullopt;
    return header->second;
}

}  // namespace taskd::cli
