#pragma once

#include "api/services.hpp"
#include "http/message.hpp"

#include <string>

#include <taskd/task.hpp>

/// Who changed what: a line of the log for each request that changes something, allowed or not, and for each end of a
/// task; and the same lines in the cluster's log where `Services::cluster_log` is set. No line holds a query, a body, a
/// password or a token.
/// @thread Any. Never blocks.
namespace taskd::api {

/// A request that changes something, kept while it is answered.
class ChangeRequest {
  public:
    explicit ChangeRequest(const http::Request& request);

    /// `alice from 127.0.0.1:40112: DELETE /api/block/image/rbd%2Fvm1: 204 task 01M8… rbd/delete
    /// {"image_spec":"rbd/vm1"}`
    /// @param services  Null where this front is not the active one.
    std::string line(const Services* services, const http::Response& response) const;
    /// Writes it.
    void tell(const Services* services, const http::Response& response) const;

  private:
    std::string who_;
    std::string from_;
    std::string what_;
};

/// `alice: task 01M8… rbd/delete {"image_spec":"rbd/vm1"}: success`, or `failed: ` and why.
/// @param task  Finished.
std::string line_of_end(const Task& task);
/// Writes it. @param cluster_log  Null: to the log only.
void tell_end(ceph::ClusterLog* cluster_log, const Task& task);

}  // namespace taskd::api
