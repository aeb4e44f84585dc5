#pragma once

#include "daemon/access_words.hpp"

namespace taskd::daemon {

/// `ceph-taskd user …` and `ceph-taskd role …`: shows and changes the users and roles of ceph-taskd's own, with the
/// words, the output and the exit codes of `ceph dashboard ac-user-…` and `ac-role-…`.
/// @param argv  argv[0] is the family's word.
/// @returns the exit code: 0, or the errno of what is wrong; 1 for a file that cannot be read
int access_command(AccessFamily family, int argc, const char* const* argv);

}  // namespace taskd::daemon
