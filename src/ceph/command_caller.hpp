#pragma once

#include "ceph/cluster.hpp"
#include "ceph/command.hpp"

#include <functional>
#include <memory>
#include <string>

#include <nlohmann/json_fwd.hpp>

namespace taskd::ceph {

/// Sends one command and waits for its answer. Command threads run it.
class CommandCaller {
  public:
    CommandCaller() = default;
    virtual ~CommandCaller() = default;
    CommandCaller(const CommandCaller&) = delete;
    CommandCaller& operator=(const CommandCaller&) = delete;

    /// @param input  Bulk data (a crush map, a key), mostly empty.
    /// @returns  What the daemon said, refusals included; -ETIMEDOUT when it said nothing in time.
    /// @throws Error, BadRequest: the command was not sent.
    /// @thread  Any, concurrently. Blocks.
    virtual CommandResult call(const CommandTarget& target, const nlohmann::json& command,
                               const std::string& input) = 0;
};

/// Sends commands by librados' blocking calls (it has no asynchronous ones). Never sends one twice by itself.
///
/// Commands to monitors go over the cluster handle, bounded by its `rados_mon_op_timeout`. All others go over a second
/// handle, connected at the first of them, that has no such time-out: in librados 16.2.15 (18 and 20 read alike)
/// `rados_mgr_command` waits for the answer with a condition on its stack, and when the time-out has ended that wait, a
/// late answer of a slow mgr writes there: the process dies of SIGSEGV. So a call to a mgr that does not answer blocks
/// its thread; the CommandSender gives the answer at its own deadline instead.
/// @source  src/librados/RadosClient.cc `mgr_command`; tests/cluster/ceph/mgr_frozen_test.cpp.
class LibradosCaller : public CommandCaller {
  public:
    /// Gives the connected cluster, or throws Error (unavailable) while there is none.
    using Provider = std::function<std::shared_ptr<const Cluster>()>;

    /// @param osd_timeout  Longest a command to an OSD or PG may take.
    explicit LibradosCaller(Provider cluster, std::chrono::seconds osd_timeout = std::chrono::seconds(30));
    ~LibradosCaller() override;
    CommandResult call(const CommandTarget& target, const nlohmann::json& command, const std::string& input) override;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace taskd::ceph
