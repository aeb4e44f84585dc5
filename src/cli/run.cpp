#include "cli/run.hpp"

#include "cli/commands.hpp"

#include <ostream>

#include <taskd/error.hpp>

namespace taskd::cli {
namespace {

struct Dispatch {
    Session& session;

    int operator()(const Submit& submit) const { return run_submit(session, submit); }
    int operator()(const List& list) const { return run_list(session, list); }
    int operator()(const Show& show) const { return run_show(session, show); }
    int operator()(const Watch& watch) const { return run_watch(session, watch); }
    int operator()(const Top& top) const { return run_top(session, top); }
    int operator()(const Cancel& cancel) const { return run_cancel(session, cancel); }
    int operator()(const Summary&) const { return run_summary(session); }
    int operator()(const LookAtImages& look) const { return run_look_at_images(session, look); }
    int operator()(const LookAtMirroring& look) const { return run_look_at_mirroring(session, look); }
    int operator()(const Print& print) const {
        session.surroundings().console.out << print.text << std::flush;
        return 0;
    }
};

}  // namespace

int run(const CommandLine& command_line, Surroundings& surroundings) {
    Session session(command_line, surroundings);
    try {
        return std::visit(Dispatch{session}, command_line.invocation);
    } catch (const BadRequest& error) {
        session.complain(error.what());
        return exit_code(Outcome::refused);
    }
}

}  // namespace taskd::cli
