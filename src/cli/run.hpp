#pragma once

#include "cli/command_line.hpp"
#include "cli/surroundings.hpp"

namespace taskd::cli {

/// Does what the command line says.
/// @returns  The exit code: docs/command-line.md. Every failure has been reported on `console.err`.
/// @thread   One. Every wait is bounded by a time-out, the limits of `Waiter`, or the user.
int run(const CommandLine& command_line, Surroundings& surroundings);

}  // namespace taskd::cli
