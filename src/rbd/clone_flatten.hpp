#pragma once

#include "rbd/blockers.hpp"

#include <cstdint>
#include <vector>

namespace taskd::rbd {

class OperationContext;
class Progress;

/// A clone that is to become independent of its parent, so that the snapshot it was made from can go.
struct Flattening {
    Blockers::Clone clone;
    std::uint64_t objects = 0;  ///< Of the clone: its share of a progress that counts data objects.
};

/// Takes the clones that can be flattened out of `clones`; the others get their `obstacle`.
/// @throws Error
/// @thread Any. Blocks.
std::vector<Flattening> plan_flattening(const ceph::Cluster& cluster, std::vector<Blockers::Clone>& clones);

/// Flattens them one after the other; one that has no parent any more is done.
/// @throws Error  ECANCELED once a stop is requested; what librbd said, naming the clone
void flatten_clones(OperationContext& context, const std::vector<Flattening>& plan, Progress& progress);

}  // namespace taskd::rbd
