#pragma once

#include "http/client.hpp"

#include <chrono>
#include <optional>
#include <string>

namespace taskd::mgr {

/// Asks the dashboard of the active mgr over HTTP, on one connection that it keeps; blocks meanwhile.
/// @thread  One at a time.
class DashboardClient {
  public:
    /// A longer answer is an error: an entry has some 400 bytes, and more than a thousand are of no use to anybody.
    static constexpr std::size_t max_answer_bytes = 8 * 1024 * 1024;

    /// The text of `GET /api/task`.
    /// @param url      The dashboard's, as the mgr map has it: `https://10.0.0.1:8443/prefix/`.
    /// @param token    Of a user of its.
    /// @param timeout  For all of it.
    /// @throws Error (unavailable) also for every answer but 200 with JSON: a standby answers 303, and for a moment
    /// after a failover 200 with a page.
    /// @throws BadRequest  it is no such URL
    /// @source  dashboard-contract.md 5.5
    std::string list_tasks(const std::string& url, const std::string& token, std::chrono::milliseconds timeout);

  private:
    std::string url_;
    std::string prefix_;
    std::optional<http::Client> client_;
};

}  // namespace taskd::mgr
