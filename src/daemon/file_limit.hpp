#pragma once

#include <cstddef>

namespace taskd::daemon {

/// Lets the process have as many files open as it may: sockets are files. Its workers inherit that.
void raise_file_limit();

/// As many connections of those wanted as leave enough files to the cluster's connections and the workers; tells in the
/// log when that is fewer.
std::size_t within_file_limit(std::size_t connections);

}  // namespace taskd::daemon
