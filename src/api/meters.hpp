#pragma once

#include "api/metrics_readers.hpp"
#include "api/task_tally.hpp"
#include "ceph/journal.hpp"
#include "http/server.hpp"
#include "rbd/operation.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace taskd::api {

/// What is counted over the life of the process, through all its roles, and what `/metrics` needs beside it.
struct Meters {
    explicit Meters(const std::vector<std::string>& task_names) : tasks(task_names) {}

    TaskTally tasks;  ///< For TaskManagerOptions::observer.
    const std::shared_ptr<ceph::JournalMeter> journal = std::make_shared<ceph::JournalMeter>();
    /// Of the server that the routes belong to; none: it is left out.
    std::function<http::Statistics()> http;
    std::function<std::vector<http::RouteStatistics>()> routes;
    std::string version;
    MetricsReaders readers;
};

/// The names by which tasks are counted: those of the operations, and of what else the routes make tasks of.
std::vector<std::string> counted_task_names(const rbd::OperationRegistry& registry);

}  // namespace taskd::api
