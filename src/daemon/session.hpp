#pragma once

#include "api/services.hpp"
#include "ceph/cluster.hpp"
#include "ceph/journal.hpp"
#include "daemon/options.hpp"
#include "rbd/operation.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace taskd::daemon {

/// Everything that works while this front is the active one: task list, queue, workers, commands. Ends with the active
/// role, or with the cluster handle when that was fenced.
/// @thread  `services` from any; the others from the lifecycle's thread.
class Session {
  public:
    /// What a session is given of the outside.
    struct Surroundings {
        std::shared_ptr<ceph::Cluster> cluster;
        std::shared_ptr<ceph::Journal> journal;  ///< Null: tasks live in memory only.
        const rbd::OperationRegistry* registry = nullptr;
        std::vector<std::string> worker_command;
        /// Makes the addresses of the workers durable, then calls `recorded`: no worker gets a job before its address
        /// can be fenced.
        std::function<void(std::vector<std::string> addresses, std::function<void()> recorded)> record_workers;
        std::string url = {};  ///< Under which clients reach this front, for people to read; may be empty.
    };

    Session(const Options& options, Surroundings surroundings);
    /// Stops at once.
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    const api::Services& services() const noexcept;

    /// Puts the tasks of earlier lives back: the finished on the list and in the history, the unfinished to work.
    /// Of the history only id and end are known then, until `read_history`.
    void recover(ceph::JournalContent content);
    /// Reads in the background what of the history nobody has looked at yet: behind the first answer, which need not
    /// wait for thousands of tasks that ended long ago.
    void read_history();

    /// Starts nothing more, lets running tasks end for `grace`, ends the workers; blocks.
    /// @returns  The cluster addresses of workers that may have been ended in the midst of a task: to be fenced before
    ///           anybody goes on with those, or their watches keep librbd from it for 30 s.
    std::vector<std::string> drain(std::chrono::milliseconds grace);
    /// Ends the workers at once: nothing of ours touches the cluster any more when it returns.
    void stop_now();

    /// Puts the queue's figures into the service map.
    void publish_status();

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace taskd::daemon
