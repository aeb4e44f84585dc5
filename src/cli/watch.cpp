#include "cli/commands.hpp"
#include "cli/list_follower.hpp"
#include "cli/target.hpp"

#include <ostream>

namespace taskd::cli {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

constexpr auto spacing = 500ms;  // between the starts of two looks at the list, at least
constexpr auto reconnect = 60s;  // how long a daemon that does not answer is tried without --timeout
constexpr auto try_again = 1000ms;

int watch_task(Session& session, const Watch& watch) {
    session.surroundings().interruption.say("ceph-task: interrupted; the task goes on\n");
    std::vector<Followed> tasks(1);
    tasks.front().id = watch.id_or_glob;
    session.wait_for(tasks, watch.timeout);
    session.surroundings().interruption.say("");

    const Followed& task = tasks.front();
    if (session.as_json() && task.task.is_object()) session.print_json(task.task);
    if (task.outcome == Outcome::succeeded) {
        if (!session.as_json()) {
            session.surroundings().console.out << task.label << ": done in " << format_duration(task.seconds) << '\n'
                                               << std::flush;
        }
        return 0;
    }
    session.complain(task.message);
    return exit_code(task.outcome.value_or(Outcome::failed));
}

/// The list on a terminal, drawn in place, or lines on change elsewhere.
class ListScreen {
  public:
    explicit ListScreen(Session& session) : session_(session), console_(session.surroundings().console) {}

    void show(const json& listing, const ListFollower::News& news) {
        if (session_.as_json()) return;
        clear();
        for (const std::string& line : news.ended) console_.out << line << '\n';
        if (console_.out_is_terminal) {
            if (news.executing) draw(listing);
        } else {
            for (const std::string& line : news.progress) console_.out << line << '\n';
        }
        console_.out << std::flush;
    }

    void clear() {
        if (lines_ > 0) console_.out << "\x1b[" << lines_ << "A\x1b[J" << std::flush;
        lines_ = 0;
    }

  private:
    void draw(const json& listing) {
        const std::size_t columns = std::max<std::size_t>(console_.columns(), 2) - 1;
        const std::size_t most = std::max<std::size_t>(console_.rows(), 4) - 2;
        // Without colors, so that a line can be cut: one that wraps would be counted as one and stay on the screen.
        const std::string text =
            task_table({{"executing_tasks", listing.value("executing_tasks", json::array())}}, 0, false);
        std::size_t total = 0;
        for (std::size_t start = 0; start < text.size(); ++total) {
            const std::size_t end = text.find('\n', start);
            if (total < most)
                console_.out << truncated(std::string_view(text).substr(start, end - start), columns) << '\n';
            start = end + 1;
        }
        lines_ = std::min(total, most);
        if (total > most) {
            console_.out << "… and " << total - most << " more\n";
            ++lines_;
        }
    }

    Session& session_;
    Console& console_;
    std::size_t lines_ = 0;
};

/// Looks at the list again and again. Between two looks the daemon holds back an answer about one of the tasks, so that
/// its end is seen at once.
class ListWatch {
  public:
    ListWatch(Session& session, const Watch& watch)
        : session_(session),
          timer_(session.surroundings().timer),
          target_(listing_target(watch.id_or_glob)),
          screen_(session) {
        if (watch.timeout) deadline_ = timer_.now() + *watch.timeout;
    }

    int run() {
        for (;;) {
            const SteadyTime looked_at = timer_.now();
            const bool seen = look();
            if (exit_code_) return finish(*exit_code_);
            if (seen && !executing_) {
                if (!ever_executed_ && !session_.as_json())
                    session_.surroundings().console.out << "No task executes.\n";
                return finish(0);
            }
            ever_executed_ = ever_executed_ || executing_;
            if (deadline_ && timer_.now() >= *deadline_) return give_up();
            if (seen) hold();
            const SteadyTime next = looked_at + (seen ? std::chrono::milliseconds(spacing) : try_again);
            timer_.pause_until(deadline_ ? std::min(next, *deadline_) : next);
        }
    }

  private:
    /// @returns whether the daemon answered; sets `exit_code_` when looking again is of no use.
    bool look() {
        std::string trouble;
        try {
            const Answer answer = session_.ask("GET", target_);
            json body = body_of(answer);
            if (answer.status == 200 && body.is_object()) {
                lost_since_.reset();
                const ListFollower::News news = follower_.take(body);
                executing_ = news.executing;
                first_executing_ = news.first_executing;
                screen_.show(body, news);
                listing_ = std::move(body);
                return true;
            }
            trouble = detail_of(answer);
            if (answer.status >= 400 && answer.status < 500 && answer.status != 429) {
                session_.complain(trouble);
                exit_code_ = exit_code(outcome_of_failure(answer.status, false));
                return false;
            }
        } catch (const TransportError& error) {
            trouble = error.what();
        }
        const SteadyTime now = timer_.now();
        const bool never_seen = listing_.is_null();
        if (!lost_since_) {
            lost_since_ = now;
            screen_.clear();
            session_.complain(trouble + (never_seen ? "" : "; trying again"));
        }
        if (never_seen || (!deadline_ && now - *lost_since_ >= reconnect)) exit_code_ = exit_code(Outcome::unreachable);
        return false;
    }

    void hold() {
        if (first_executing_.empty()) return;
        std::chrono::seconds wait = session_.surroundings().console.out_is_terminal ? 1s : 2s;
        if (deadline_) wait = std::min(wait, std::chrono::ceil<std::chrono::seconds>(*deadline_ - timer_.now()));
        if (wait <= 0s) return;
        try {
            session_.ask("GET", task_target(first_executing_) + "?wait=" + std::to_string(wait.count()), nullptr, wait);
        } catch (const TransportError&) {
            return;  // the next look at the list finds out and reports it
        }
    }

    int give_up() {
        session_.complain("tasks still execute; look: " + session_.program() + " ls --executing");
        return finish(exit_code(lost_since_ ? Outcome::unreachable : Outcome::timed_out));
    }

    int finish(int code) {
        if (session_.as_json() && listing_.is_object()) session_.print_json(listing_);
        return code;
    }

    Session& session_;
    Timer& timer_;
    std::string target_;
    ListScreen screen_;
    ListFollower follower_{};
    std::optional<SteadyTime> deadline_{};
    std::optional<SteadyTime> lost_since_{};
    std::optional<int> exit_code_{};
    json listing_ = nullptr;
    std::string first_executing_{};
    bool executing_ = false;
    bool ever_executed_ = false;
};

}  // namespace

int run_watch(Session& session, const Watch& watch) {
    if (looks_like_task_id(watch.id_or_glob)) return watch_task(session, watch);
    return ListWatch(session, watch).run();
}

}  // namespace taskd::cli
