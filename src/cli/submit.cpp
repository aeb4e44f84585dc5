#include "cli/commands.hpp"

#include <algorithm>
#include <ostream>

#include <taskd/error.hpp>

namespace taskd::cli {
namespace {

using nlohmann::json;

/// A task object made of what an answer to a request told, for when the daemon's own cannot be had.
json task_from(const Answer& answer, const json& body) {
    json task{{"state", "finished"}};
    if (const auto id = task_id_of(answer)) task["id"] = *id;
    const bool success = answer.status < 400;
    if (!success && body.is_object() && body.contains("task") && body["task"].is_object()) task.update(body["task"]);
    task["success"] = success;
    task["ret_value"] = success && !body.is_discarded() ? body : json();
    task["exception"] = success || body.is_discarded() ? json() : body;
    return task;
}

/// Reads the answer to a request that makes a task.
void take_answer(Followed& task, const Answer& answer) {
    const json body = body_of(answer);
    const auto id = task_id_of(answer);
    task.id = id.value_or("");
    if (answer.status == 202) {
        task.task = {{"id", task.id}, {"state", "running"}};
        if (body.is_object()) task.task.update(body);
        if (id) return;
        task.outcome = Outcome::failed;
        task.message = "the daemon accepted the task without naming its id";
        return;
    }
    if (answer.status >= 200 && answer.status < 300) {
        task.outcome = Outcome::succeeded;
        task.task = task_from(answer, body);
        return;
    }
    const bool is_task = id || (body.is_object() && body.contains("task"));
    task.outcome = outcome_of_failure(answer.status, is_task);
    task.message = detail_of(answer);
    if (is_task) task.task = task_from(answer, body);
}

Followed send(Session& session, const Submission& submission, bool prefer_async) {
    Followed task{.label = submission.label};
    Timer& timer = session.surroundings().timer;
    const SteadyTime start = timer.now();
    try {
        take_answer(task, session.ask(submission.method, submission.target, submission.body, std::chrono::seconds(0),
                                      prefer_async));
    } catch (const TransportError& error) {
        task.outcome = Outcome::unreachable;
        task.message = error.what();
        if (error.sent())
            task.message += "; whether the request was accepted is not known: " + session.program() + " ls";
    }
    task.seconds = std::chrono::duration<double>(timer.now() - start).count();
    return task;
}

/// What Ctrl-C says while these tasks are waited for.
std::string interruption_text(Session& session, const std::vector<Followed>& tasks) {
    const std::string program = session.program();
    std::string text;
    std::size_t going_on = 0;
    const Followed* example = nullptr;
    for (const Followed& task : tasks) {
        if (task.outcome) continue;
        ++going_on;
        if (example == nullptr) example = &task;
    }
    if (example == nullptr) return {};
    text = going_on == 1 ? "the task goes on" : std::to_string(going_on) + " tasks go on";
    return "ceph-task: interrupted; " + text + ". Look: " + program + " watch " + (going_on == 1 ? example->id : "") +
           "\nceph-task: to stop it: " + program + " cancel " + example->id + "\n";
}

/// Failures that several tasks have are told apart by their labels.
void report_failures(Session& session, const std::vector<Followed>& tasks) {
    for (const Followed& task : tasks) {
        if (!task.outcome || *task.outcome == Outcome::succeeded) continue;
        const std::string label = tasks.size() > 1 ? task.label + ": " : "";
        session.complain(label + task.message);
        const bool goes_on =
            *task.outcome == Outcome::timed_out || (*task.outcome == Outcome::unreachable && !task.id.empty());
        if (goes_on) session.complain("the task goes on; look: " + session.program() + " watch " + task.id);
    }
}

/// The daemon's object of every task that ended while it was being asked for: the answer to the request is less.
void complete(Session& session, std::vector<Followed>& tasks) {
    for (Followed& task : tasks) {
        if (!task.outcome || task.id.empty() || task.task.contains("begin_time")) continue;
        try {
            const Answer answer = session.ask("GET", task_target(task.id));
            json body = body_of(answer);
            if (answer.status == 200 && body.is_object()) task.task = std::move(body);
        } catch (const TransportError&) {
            return;  // what the answer told is printed instead
        }
    }
}

void print_tasks_as_json(Session& session, const std::vector<Followed>& tasks) {
    json documents = json::array();
    for (const Followed& task : tasks) {
        if (!task.task.is_null()) {
            documents.push_back(task.task);
        } else if (tasks.size() > 1) {
            documents.push_back(
                {{"state", "not accepted"}, {"request", task.label}, {"exception", {{"detail", task.message}}}});
        }
    }
    if (tasks.size() > 1) {
        session.print_json(documents);
    } else if (!documents.empty()) {
        session.print_json(documents.front());
    }
}

/// What a cluster command said: its output as it came, JSON indented; its status text on the standard error.
void print_command_output(Session& session, const json& result) {
    Console& console = session.surroundings().console;
    if (!result.is_object()) return;
    const json output = result.value("output", json());
    if (output.is_string()) {
        const auto& text = output.get_ref<const std::string&>();
        console.out << text << (text.empty() || text.ends_with('\n') ? "" : "\n") << std::flush;
    } else if (!output.is_null()) {
        session.print_json(output);
    }
    const json status = result.value("status", json());
    if (status.is_string() && !status.get_ref<const std::string&>().empty()) {
        console.err << status.get_ref<const std::string&>() << '\n' << std::flush;
    }
}

std::string input_text(Session& session, const Submit::Input& input) {
    auto text = session.surroundings().read_file(input.file);
    if (input.is_a_word) text.erase(text.find_last_not_of(" \t\r\n") + 1);
    return text;
}

std::string printed_text(const json& result, const std::string& member) {
    const auto text = result.is_object() ? result.value(member, json()) : json();
    return text.is_string() ? text.get<std::string>() : std::string();
}

/// A command that the cluster refused is a failed one, also where the daemon lists it as one that was carried out.
void judge_return_code(Followed& task) {
    if (task.outcome != Outcome::succeeded) return;
    const json result = task.task.is_object() ? task.task.value("ret_value", json()) : json();
    if (!result.is_object()) return;
    const json code = result.value("return_code", json());
    if (!code.is_number_integer() || code == 0) return;
    task.outcome = Outcome::failed;
    const json status = result.value("status", json());
    const std::string text = status.is_string() ? printable(status.get_ref<const std::string&>()) : "";
    task.message = text.empty() ? "the command returned " + code.dump() : text;
}

void print_results(Session& session, const Submit& submit, const std::vector<Followed>& tasks) {
    std::ostream& out = session.surroundings().console.out;
    for (const Followed& task : tasks) {
        if (!submit.wait && !task.id.empty()) {
            out << task.id << "  " << printable(task.label) << '\n';
        } else if (submit.wait && task.outcome == Outcome::succeeded && submit.prints_output) {
            print_command_output(session, task.task.value("ret_value", json()));
        } else if (submit.wait && task.outcome == Outcome::succeeded && !submit.printed_member.empty()) {
            out << printed_text(task.task.value("ret_value", json()), submit.printed_member) << '\n';
        } else if (submit.wait && task.outcome == Outcome::succeeded) {
            out << printable(task.label) << ": done in " << format_duration(task.seconds) << '\n';
        }
    }
    out << std::flush;
}

/// Sends every request; after the daemon could not be reached the rest is not tried.
std::vector<Followed> send_all(Session& session, const std::vector<Submission>& submissions, bool wait) {
    const bool prefer_async = !wait || submissions.size() > 1;
    std::vector<Followed> tasks;
    for (const Submission& submission : submissions) {
        tasks.push_back(send(session, submission, prefer_async));
        if (tasks.back().outcome == Outcome::unreachable) {
            const std::size_t left = submissions.size() - tasks.size();
            if (left > 0) tasks.back().message += "; " + std::to_string(left) + " more were not sent";
            break;
        }
    }
    return tasks;
}

}  // namespace

int run_submit(Session& session, const Submit& submit) {
    std::vector<Submission> submissions = submit.tasks;
    if (!submit.input.file.empty()) {
        const auto text = input_text(session, submit.input);
        for (Submission& submission : submissions) submission.body[submit.input.member] = text;
    }
    Interruption& interruption = session.surroundings().interruption;
    interruption.say("ceph-task: interrupted; the request may have been accepted. Look: " + session.program() +
                     " ls\n");
    std::vector<Followed> tasks = send_all(session, submissions, submit.wait);
    if (submit.wait) {
        interruption.say(interruption_text(session, tasks));
        session.wait_for(tasks, submit.timeout);
    }
    interruption.say("");
    if (session.as_json() && submit.wait) complete(session, tasks);
    if (submit.prints_output) std::ranges::for_each(tasks, judge_return_code);

    if (session.as_json()) {
        print_tasks_as_json(session, tasks);
    } else {
        print_results(session, submit, tasks);
    }
    report_failures(session, tasks);
    std::vector<Outcome> outcomes;
    outcomes.reserve(tasks.size());
    for (const Followed& task : tasks) outcomes.push_back(task.outcome.value_or(Outcome::succeeded));
    return exit_code(worst(outcomes));
}

}  // namespace taskd::cli
