#include "cli/commands.hpp"
#include "cli/target.hpp"
#include "http/uri.hpp"

#include <ostream>

// The commands that only look: ls, show, summary; and cancel, which is one request.

namespace taskd::cli {

using nlohmann::json;

std::string listing_target(const std::string& glob) {
    return "/api/task?detail=1" + (glob.empty() ? std::string() : "&name=" + http::percent_encode(glob));
}

int run_list(Session& session, const List& list) {
    int failure = 0;
    std::optional<json> listing = session.get(listing_target(list.name_glob), failure);
    if (!listing) return failure;
    if (!list.executing) listing->erase("executing_tasks");
    if (!list.finished) listing->erase("finished_tasks");
    if (session.as_json()) {
        session.print_json(*listing);
    } else {
        session.surroundings().console.out << task_table(*listing, session.columns(), session.color()) << std::flush;
    }
    return 0;
}

int run_show(Session& session, const Show& show) {
    int failure = 0;
    if (looks_like_task_id(show.id_or_glob)) {
        const std::optional<json> task = session.get(task_target(show.id_or_glob), failure);
        if (!task) return failure;
        if (session.as_json()) {
            session.print_json(*task);
        } else {
            session.surroundings().console.out << task_details(*task, session.color()) << std::flush;
        }
        return 0;
    }
    const std::optional<json> listing = session.get(listing_target(show.id_or_glob), failure);
    if (!listing) return failure;
    json tasks = json::array();
    for (const char* key : {"executing_tasks", "finished_tasks"}) {
        for (const json& task : listing->value(key, json::array())) tasks.push_back(task);
    }
    if (session.as_json()) {
        session.print_json(tasks);
    } else {
        std::ostream& out = session.surroundings().console.out;
        for (std::size_t i = 0; i < tasks.size(); ++i) {
            out << (i > 0 ? "\n" : "") << task_details(tasks[i], session.color());
        }
        out << std::flush;
    }
    if (!tasks.empty()) return 0;
    session.complain("no task has a name that matches '" + printable(show.id_or_glob) + "'");
    return exit_code(Outcome::failed);
}

int run_cancel(Session& session, const Cancel& cancel) {
    if (!looks_like_task_id(cancel.id)) {
        session.complain("'" + printable(cancel.id) + "' is not a task id; ids are in the first column of " +
                         session.program() + " ls");
        return exit_code(Outcome::refused);
    }
    Answer answer;
    try {
        answer = session.ask("DELETE", task_target(cancel.id) + (cancel.force ? "?force=true" : ""));
    } catch (const TransportError& error) {
        session.complain(error.what());
        return exit_code(Outcome::unreachable);
    }
    if (answer.status >= 300) {
        session.complain(detail_of(answer));
        return exit_code(outcome_of_failure(answer.status, false));
    }
    if (session.as_json()) {
        int failure = 0;
        const std::optional<json> task = session.get(task_target(cancel.id), failure);
        if (task) session.print_json(*task);
        return failure;
    }
    session.surroundings().console.out << "Asked task " << cancel.id << " to stop; to see it end: " << session.program()
                                       << " watch " << cancel.id << '\n'
                                       << std::flush;
    return 0;
}

int run_summary(Session& session) {
    int failure = 0;
    const std::optional<json> summary = session.get("/api/summary", failure);
    if (!summary) return failure;
    if (session.as_json()) {
        session.print_json(*summary);
    } else {
        session.surroundings().console.out << summary_text(*summary, session.color()) << std::flush;
    }
    return 0;
}

}  // namespace taskd::cli
