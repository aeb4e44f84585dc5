#pragma once

#include "worker/protocol.hpp"
#include "worker/worker.hpp"

#include <memory>
#include <string>
#include <vector>

namespace boost::asio {
class io_context;
}

namespace taskd::worker {

/// A worker in a process of its own: this binary started again with `worker`, one end of a socketpair as its channel.
///
/// A native crash in librbd ends that process only. What it last said on its standard error (the assert's text) is part
/// of the reason that `handle_end` gets.
class WorkerProcess final : public Worker {
  public:
    /// @param command  The program and its arguments; the front's process id is appended.
    /// @throws Error  The process cannot be started.
    WorkerProcess(std::vector<std::string> command, protocol::Setup setup, boost::asio::io_context& context,
                  WorkerEvents& events);
    ~WorkerProcess() override;

    void run(const WorkOrder& order) override;
    void cancel(const std::string& id) override;
    bool kill() override;
    std::string description() const override;
    std::string cluster_addresses() const override;

  private:
    class Impl;
    std::shared_ptr<Impl> impl_;  // shared with the I/O under way, which outlives this object for a moment
};

}  // namespace taskd::worker
