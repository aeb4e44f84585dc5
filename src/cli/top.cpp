#include "cli/commands.hpp"
#include "cli/top_screen.hpp"

#include <ostream>

namespace taskd::cli {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

constexpr auto between_looks = 1000ms;
constexpr auto give_up_after = 60s;  ///< Of a daemon that does not answer.

/// Lines that are drawn over those before.
class Painter {
  public:
    explicit Painter(Console& console) : console_(console) {}

    void draw(const std::vector<std::string>& lines) {
        // From the first line on, each erased to its end: nothing blinks, and what was longer leaves nothing behind.
        if (drawn_ > 0) console_.out << "\x1b[" << drawn_ << "A\r";
        for (const auto& line : lines) console_.out << line << "\x1b[K\n";
        console_.out << "\x1b[J" << std::flush;
        drawn_ = lines.size();
    }

  private:
    Console& console_;
    std::size_t drawn_ = 0;
};

}  // namespace

int run_top(Session& session, const Top& top) {
    Console& console = session.surroundings().console;
    if (session.as_json() || !console.out_is_terminal) return run_list(session, {.name_glob = top.name_glob});

    Timer& timer = session.surroundings().timer;
    TopScreen screen;
    Painter painter(console);
    std::optional<SteadyTime> lost_since;
    std::vector<std::string> lines;
    const SteadyTime began = timer.now();
    for (std::size_t look = 0; top.looks == 0 || look < top.looks; ++look) {
        const SteadyTime now = timer.now();
        // One column less: a line that fills the last one wraps on some terminals. One row for the prompt.
        const std::size_t columns = std::max<std::size_t>(console.columns(), 2) - 1;
        const std::size_t rows = std::max<std::size_t>(console.rows(), 3) - 1;
        std::string trouble;
        try {
            const Answer answer = session.ask("GET", listing_target(top.name_glob));
            const json listing = body_of(answer);
            if (answer.status == 200 && listing.is_object()) {
                lost_since.reset();
                lines = screen.draw(listing, std::chrono::duration<double>(now - began).count(), columns, rows);
            } else if (answer.status >= 400 && answer.status < 500 && answer.status != 429) {
                session.complain(detail_of(answer));
                return exit_code(outcome_of_failure(answer.status, false));
            } else {
                trouble = detail_of(answer);
            }
        } catch (const TransportError& error) {
            trouble = error.what();
        }
        if (!trouble.empty()) {
            if (!lost_since) lost_since = now;
            if (lines.empty() || now - *lost_since >= give_up_after) {
                session.complain(trouble);
                return exit_code(Outcome::unreachable);
            }
            // What was seen last stays, under the reason why it is old.
            lines.front() = truncated(printable(trouble) + "; trying again", columns);
        }
        painter.draw(lines);
        if (top.looks == 0 || look + 1 < top.looks) timer.pause_until(now + between_looks);
    }
    return 0;
}

}  // namespace taskd::cli
