#include "cli/session.hpp"

#include "cli/target.hpp"
#include "cli/task_numbers.hpp"
#include "http/default_endpoint.hpp"

#include <algorithm>
#include <ostream>

namespace taskd::cli {
namespace {

using namespace std::chrono_literals;

constexpr auto exchange_timeout = 30s;  // more than the longest the daemon holds back the answer to a request
constexpr auto hold_margin = 10s;       // for the answer to a held question to arrive
constexpr auto glance_every = 10s;  // at tasks further down the queue: well below the 60 s that a finished task is kept

double seconds_between(SteadyTime from, SteadyTime to) {
    return std::chrono::duration<double>(to - from).count();
}

double duration_of(const nlohmann::json& task, double otherwise) {
    const auto found = task.is_object() ? task.find("duration") : task.end();
    return task.is_object() && found != task.end() && found->is_number() ? found->get<double>() : otherwise;
}

}  // namespace

/// One task that is waited for, with its waiter and what comes next.
struct Session::Waiting {
    Waiting(Followed& followed, const WaitLimits& limits, SteadyTime now)
        : task(followed), waiter(followed.id, limits), since(now) {
        next = waiter.begin(now);
    }

    Followed& task;
    Waiter waiter;
    Waiter::Action next;
    SteadyTime since;
    EtaEstimator eta{};
};

std::string task_target(const std::string& id) {
    return "/api/task/" + path_parameter(id);
}

Session::Session(const CommandLine& command_line, Surroundings& surroundings)
    : command_line_(command_line),
      surroundings_(surroundings),
      progress_(surroundings.console, command_line.progress) {}

Answer Session::ask(const std::string& method, const std::string& target, const nlohmann::json& body,
                    std::chrono::seconds hold, bool prefer_async, const std::string& version) {
    Request request{.method = method, .target = target};
    request.headers["accept"] = "application/vnd.ceph.api.v" + version + "+json";
    if (!body.is_null()) {
        request.body = body.dump();
        request.headers["content-type"] = "application/json";
    }
    if (prefer_async) request.headers["prefer"] = "respond-async";  // RFC 7240: do not hold back the 202
    request.timeout = hold > 0s ? hold + hold_margin : exchange_timeout;
    return surroundings_.transport.request(request);
}

std::optional<nlohmann::json> Session::get_any(const std::string& target, const std::string& version, int& failure) {
    Answer answer;
    try {
        answer = ask("GET", target, nullptr, std::chrono::seconds(0), false, version);
    } catch (const TransportError& error) {
        complain(error.what());
        failure = exit_code(Outcome::unreachable);
        return std::nullopt;
    }
    auto body = body_of(answer);
    if (answer.status == 200 && !body.is_discarded()) return body;
    complain(answer.status == 200 ? "the daemon's answer is not JSON" : detail_of(answer));
    failure = exit_code(answer.status == 200 ? Outcome::failed : outcome_of_failure(answer.status, false));
    return std::nullopt;
}

std::optional<nlohmann::json> Session::get(const std::string& target, int& failure) {
    auto body = get_any(target, "1.0", failure);
    if (!body || body->is_object()) return body;
    complain("the daemon's answer is not a JSON object");
    failure = exit_code(Outcome::failed);
    return std::nullopt;
}

void Session::wait_for(std::vector<Followed>& tasks, std::optional<std::chrono::seconds> timeout) {
    const SteadyTime start = surroundings_.timer.now();
    WaitLimits limits;
    limits.hold = hold();
    if (timeout) limits.deadline = start + *timeout;
    std::vector<Waiting> waiting;
    waiting.reserve(tasks.size());
    for (Followed& task : tasks) {
        limits.accepted = task.task.is_object();
        if (!task.outcome && !task.id.empty()) waiting.emplace_back(task, limits, start);
    }
    // The first unfinished task is followed closely; the others get a glance now and then, so that none is forgotten by
    // the daemon before its end was seen, and a thousand of them cost little.
    SteadyTime glance = start + glance_every;
    for (std::size_t head = 0; head < waiting.size();) {
        if (waiting[head].waiter.is_over()) {
            ++head;
            continue;
        }
        const auto next = std::get<Waiter::Ask>(waiting[head].next);
        show(waiting[head], tasks.size() - waiting.size() + head + 1, tasks.size());
        surroundings_.timer.pause_until(next.at);
        poll(waiting[head], next.hold);
        if (surroundings_.timer.now() < glance || !waiting[head].waiter.trouble().empty()) continue;
        for (std::size_t i = head + 1; i < waiting.size(); ++i) {
            if (!waiting[i].waiter.is_over()) poll(waiting[i], 0s);
        }
        glance = surroundings_.timer.now() + glance_every;
    }
    progress_.clear();
}

void Session::poll(Waiting& waiting, std::chrono::seconds hold) {
    Waiter& waiter = waiting.waiter;
    const SteadyTime asked_at = surroundings_.timer.now();
    try {
        const std::string query = hold > 0s ? "?wait=" + std::to_string(hold.count()) : "";
        const Answer answer = ask("GET", task_target(waiter.id()) + query, nullptr, std::max(hold, 1s));
        waiting.next = waiter.on_answer(answer, asked_at, surroundings_.timer.now());
    } catch (const TransportError& error) {
        waiting.next = waiter.on_no_answer(error.what(), surroundings_.timer.now());
    }
    Followed& task = waiting.task;
    task.task = waiter.task();
    task.seconds = duration_of(task.task, seconds_between(waiting.since, surroundings_.timer.now()));
    if (task.label.empty() && task.task.is_object()) task.label = task_label(task.task);
    if (!waiter.is_over()) return;
    task.outcome = waiter.outcome();
    task.message = waiter.message();
}

void Session::show(Waiting& waiting, std::size_t position, std::size_t total) {
    const Followed& task = waiting.task;
    const SteadyTime now = surroundings_.timer.now();
    ProgressView view{.label = task.label.empty() ? "task " + task.id : task.label,
                      .state = task.task.is_object() ? state_text(task.task) : "accepted",
                      .percent = progress_of(task.task),
                      .elapsed_s = duration_of(task.task, seconds_between(waiting.since, now)),
                      .position = position,
                      .total = total};
    waiting.eta.observe(std::chrono::duration<double>(now.time_since_epoch()).count(), view.percent);
    view.eta_s = waiting.eta.remaining();
    if (!waiting.waiter.trouble().empty()) view.state = "no answer, trying again: " + waiting.waiter.trouble();
    progress_.show(view, now);
}

std::chrono::seconds Session::hold() const {
    if (!command_line_.progress) return 10s;
    return surroundings_.console.err_is_terminal ? 1s : 2s;
}

void Session::complain(const std::string& line) {
    progress_.clear();
    surroundings_.console.err << "ceph-task: " << line << '\n' << std::flush;
}

void Session::print_json(const nlohmann::json& document) {
    progress_.clear();
    surroundings_.console.out << document.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << '\n'
                              << std::flush;
}

std::size_t Session::columns() const {
    return surroundings_.console.out_is_terminal ? surroundings_.console.columns() : 0;
}

std::string Session::program() const {
    if (command_line_.endpoint == "unix:" + std::string(http::default_socket_path)) return "ceph-task";
    const std::string trust = command_line_.ca_file.empty() ? "" : " --ca " + command_line_.ca_file;
    return "ceph-task --url " + command_line_.endpoint + trust;
}

}  // namespace taskd::cli
