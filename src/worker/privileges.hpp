#pragma once

namespace taskd::worker {

/// Gives up, for good, what a worker can do without: to get more rights by starting a program, and all of root's
/// capabilities but the two to reach files, for a configuration or a keyring may belong to another user.
/// @thread  Before the process has a second one: capabilities are each thread's own.
/// @source  capabilities(7), prctl(2) PR_SET_NO_NEW_PRIVS
void give_up_privileges() noexcept;

}  // namespace taskd::worker
