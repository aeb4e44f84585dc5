#pragma once

#include "ceph/command_sender.hpp"

#include <chrono>
#include <memory>
#include <string>

#include <nlohmann/json.hpp>
#include <taskd/clock.hpp>

namespace taskd::ceph {

/// What the cluster said of itself at one moment.
struct ClusterSnapshot {
    std::string fsid;
    std::string health_status;  ///< "HEALTH_OK", "HEALTH_WARN", "HEALTH_ERR".
    std::string mgr_id;         ///< Of the active mgr; empty when there is none.
    std::string mgr_url;        ///< Of its dashboard, "http://…/"; empty when it has none.
    std::string version;        ///< "ceph version 16.2.15 (…) pacific (stable)".
    SteadyTime polled_at;
};

struct ClusterStatusOptions {
    std::chrono::milliseconds interval = std::chrono::seconds(2);
    /// An older snapshot counts as "no connection to a monitor".
    std::chrono::milliseconds stale_after = std::chrono::seconds(10);
    const Clock* clock = &Clock::system();
};

/// Asks the cluster every few seconds how it is, so that whoever shows it need not ask and never waits for it.
///
/// At most one poll is under way: a cluster that does not answer is asked again only when the command sender has given
/// the old question up. Only monitors are asked.
/// @thread  Any; readers never wait for the cluster.
class ClusterStatus {
  public:
    /// @param sender  Must outlive this; its callbacks after this is gone do nothing.
    explicit ClusterStatus(CommandSender& sender, ClusterStatusOptions options = {});
    ~ClusterStatus();
    ClusterStatus(const ClusterStatus&) = delete;
    ClusterStatus& operator=(const ClusterStatus&) = delete;

    struct View {
        std::shared_ptr<const ClusterSnapshot> snapshot;  ///< Null until the first answer.
        std::chrono::nanoseconds age{0};                  ///< Of the snapshot.
        bool have_mon_connection = false;
        std::string error;  ///< Why the last poll failed; empty when it did not.
    };
    View current() const;

    /// Polls now rather than at the next interval, unless a poll is under way.
    void poll_now();

  private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace taskd::ceph
