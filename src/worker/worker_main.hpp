#pragma once

#include "rbd/operation.hpp"
#include "worker/job_runner.hpp"

namespace taskd::worker {

/// The descriptor on which a worker process finds its channel to the front.
inline constexpr int channel_descriptor = 3;

/// The life of a worker process: reads its set-up from the channel, connects, runs orders until the channel ends.
/// When the front dies, so does this process, at once and in the midst of what it does.
/// @param parent  Process id of the front, which may have died before we could ask to be told.
/// @returns the process's exit code
int worker_main(const rbd::OperationRegistry& registry, long parent, StepHook step_hook = {});

}  // namespace taskd::worker
