#pragma once

#include "ceph/cluster_status.hpp"
#include "ceph/command_table.hpp"
#include "worker/operation_service.hpp"

#include <taskd/send_command_executor.hpp>
#include <taskd/task_manager.hpp>

namespace taskd::api {

/// What the controllers work with; all of it outlives the server.
struct Services {
    TaskManager& tasks;
    worker::OperationService& operations;
    CommandPort& commands;
    /// The monitors' command table if it is at hand; never waits.
    std::function<std::shared_ptr<const ceph::CommandTable>()> command_table;
    const ceph::ClusterStatus& cluster;
};

}  // namespace taskd::api
