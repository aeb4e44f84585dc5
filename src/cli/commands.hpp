#pragma once

#include "cli/command_line.hpp"
#include "cli/session.hpp"

namespace taskd::cli {

// One function a command; each returns the exit code and has reported what failed.

int run_submit(Session& session, const Submit& submit);
int run_list(Session& session, const List& list);
int run_show(Session& session, const Show& show);
int run_watch(Session& session, const Watch& watch);
int run_top(Session& session, const Top& top);
int run_cancel(Session& session, const Cancel& cancel);
int run_summary(Session& session);
int run_look_at_images(Session& session, const LookAtImages& look);
int run_look_at_mirroring(Session& session, const LookAtMirroring& look);

/// The path and query of the list of tasks; an empty glob is all.
std::string listing_target(const std::string& glob);

}  // namespace taskd::cli
