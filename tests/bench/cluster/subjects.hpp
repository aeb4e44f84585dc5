#pragma once

#include "ceph/options.hpp"
#include "comparison.hpp"

#include <string>

namespace taskd::bench {

/// Mon commands, 64 at a time: as tasks, and by rados_mon_command from as many threads.
void compare_commands(const ceph::ClusterOptions& options, const Turns& turns);

/// Writes of 512 bytes, 128 in flight: as aio tasks, and by rados_aio_write.
void compare_object_writes(const ceph::ClusterOptions& options, const Turns& turns);

/// How bare calls remove an image.
enum class BareRemoval {
    one_call,  ///< rbd_remove
    by_trash,  ///< A move to the trash and a removal from it, as the daemon removes a small image.
};

/// Images made and removed, 32 at a time: through the daemon's HTTP, and by librbd's calls from as many threads.
void compare_images(const ceph::ClusterOptions& options, const std::string& socket, const Turns& turns,
                    BareRemoval removal);

/// Asks a daemon for so many images and does not wait for them.
void submit_images(const std::string& socket, std::size_t first, std::size_t count);

/// Asks a daemon for so many mon commands, 16 at a time.
void ask_commands(const std::string& socket, std::size_t first, std::size_t count);

/// Asks a daemon for its summary every ten milliseconds until its input ends, and by turns a server with a fixed answer
/// (fixed_answer.cpp): what the machine itself delays at that time. Prints how long each took, in milliseconds.
void probe_summary(const std::string& socket, const std::string& beside);

}  // namespace taskd::bench
