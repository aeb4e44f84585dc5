#pragma once

namespace taskd {

/// Keeps the memory of this process, which holds keys, to itself: no core file is written, nor handed to a program that
/// the kernel is told to give cores to, and only root may trace the process. A program that it starts inherits the
/// limit and nothing else, so it has to do the same.
/// @thread  Any; for the whole process.
/// @source  setrlimit(2) RLIMIT_CORE, prctl(2) PR_SET_DUMPABLE
void forbid_core_files() noexcept;

/// Whether who started this process, or the system, does not let it write any.
bool are_core_files_forbidden() noexcept;

/// As large as the system lets them be: for who looks for a fault.
void allow_core_files() noexcept;

}  // namespace taskd
