#pragma once

#include "rbd/image.hpp"

#include <cstdint>
#include <vector>

namespace taskd::rbd {

class Progress;

/// A snapshot's share of a progress that counts data objects: removing one takes about as long as trimming these.
constexpr std::uint64_t objects_per_snapshot = 1000;

/// Those that a client may remove. Those of mirroring go with the image; those of a group with the group's.
std::vector<Snapshot> removable_snapshots(const Image& image);

/// Removes one, protected or not; it is gone when it is gone already. Counts `objects_per_snapshot`.
/// @param image  Opened for writing.
/// @throws Error
void remove_snapshot(Image& image, const Snapshot& snapshot, Progress& progress);

}  // namespace taskd::rbd
