#pragma once

#include "rbd/operation.hpp"
#include "worker/job_runner.hpp"

namespace taskd::daemon {

/// The whole program: the front; or a worker process, or `ceph-taskd caps`, when the first argument says so.
/// @param registry   The operations it can do; tests add some of their own.
/// @param step_hook  Of worker processes; tests end them at a step.
/// @returns the exit code: 0 after an orderly stop, 1 when it could not run, 2 for a mistake on the command line
int daemon_main(int argc, const char* const* argv, const rbd::OperationRegistry& registry,
                const worker::StepHook& step_hook = {});

}  // namespace taskd::daemon
