#pragma once

#include "rbd/image.hpp"

#include <cstdint>
#include <string>

namespace taskd::rbd {

class Progress;

/// Copies what an image holds into an empty one that is at least as large; zeros are left out. librbd's own copy cannot
/// be stopped, and writes the zeros of every object that has any data.
/// @param source    As it is set, at a snapshot or not; not changed.
/// @param doing     For the text of errors.
/// @throws Error  ECANCELED once a stop is requested
/// @thread Any. Blocks; at most 32 MiB are in flight.
void copy_data(const Image& source, const Image& target, std::uint64_t size_bytes, Progress& progress,
               const std::string& doing);

}  // namespace taskd::rbd
