#pragma once

namespace taskd::daemon {

/// `ceph-taskd caps`: prints what caps the daemon's Ceph user needs, or with `--check` tests whether it has them.
/// @param argv  argv[0] is the word `caps`.
/// @returns the exit code: 0 when all are there, 1 when one is not or cannot be tested, 2 for a mistake on the command
///          line
int caps_command(int argc, const char* const* argv);

}  // namespace taskd::daemon
