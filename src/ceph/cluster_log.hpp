#pragma once

#include "ceph/command_sender.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace taskd::ceph {

struct ClusterLogLimits {
    std::size_t capacity = 1000;    ///< Lines that may wait.
    std::size_t at_once = 8;        ///< Lines under way: a monitor takes some 200 a second then.
    std::size_t most_bytes = 4096;  ///< Of a line; the rest is cut off.
};

/// Writes lines to the cluster's log: what `ceph -w` and `ceph log last` show and the monitors keep in `ceph.log`.
///
/// By the monitors' command `log`, as librados has no call for it. The line goes to the channel `cluster`, said by this
/// client; the channel `audit` mostly gets it too, as the monitors write commands with their arguments there. Nobody
/// waits for it: a line that finds no room, or that no monitor took, is dropped, counted, and said.
/// @thread  Any.
class ClusterLog {
  public:
    /// @param sender  Must outlive this; its callbacks after this is gone do nothing.
    explicit ClusterLog(CommandSender& sender, ClusterLogLimits limits = {});
    /// Drops what waits.
    ~ClusterLog();
    ClusterLog(const ClusterLog&) = delete;
    ClusterLog& operator=(const ClusterLog&) = delete;

    /// Never blocks. @param line  Without line breaks.
    void write(const std::string& line);

    /// Lines that are not in the cluster's log, as far as is known.
    std::uint64_t dropped() const;

    /// Waits until nothing is to be written any more. @returns false when `timeout` came first.
    bool wait_until_written(std::chrono::milliseconds timeout) const;

  private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace taskd::ceph
