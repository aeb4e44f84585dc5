#pragma once

#include <cstddef>
#include <string>

#include <nlohmann/json.hpp>

namespace taskd::worker {

/// Threads that a worker may use for each of its slots: the rest are for operations that go on after others have
/// stalled.
inline constexpr std::size_t threads_for_a_slot = 4;

/// One run of an operation, as a worker gets it.
struct WorkOrder {
    std::string id;  ///< The task's.
    std::string operation;
    nlohmann::json arguments;
    int attempt = 1;  ///< The first is 1; a later one may find what an earlier one left.
};

class Worker;

/// What a worker tells. Every call comes on the dispatcher's thread, none from inside a call to the worker.
class WorkerEvents {
  public:
    virtual ~WorkerEvents() = default;
    /// It has its cluster handle and takes orders.
    virtual void handle_ready(Worker& worker) = 0;
    virtual void handle_progress(Worker& worker, const std::string& id, int percent) = 0;
    /// Exactly once for each order, unless `handle_end` comes first. `error` is null on success, else as
    /// `error_to_json`.
    virtual void handle_result(Worker& worker, const std::string& id, nlohmann::json value, nlohmann::json error) = 0;
    /// It is no more, and calls nothing after this; `reason` says why in words. The dispatcher destroys it.
    virtual void handle_end(Worker& worker, const std::string& reason) = 0;
};

/// Runs operations, several at a time: a process of its own, or threads of this one.
/// @thread  The dispatcher's. No member blocks.
class Worker {
  public:
    virtual ~Worker() = default;
    virtual void run(const WorkOrder& order) = 0;
    /// Asks the operation to stop at its next progress report.
    virtual void cancel(const std::string& id) = 0;
    /// Ends it at once, whatever it does; `handle_end` follows. @returns false where that cannot be done.
    virtual bool kill() = 0;
    /// For people: "worker process 4711", "thread pool".
    virtual std::string description() const = 0;
    /// The cluster's address of its client, to fence it by; empty until ready.
    virtual std::string cluster_addresses() const = 0;
};

}  // namespace taskd::worker
