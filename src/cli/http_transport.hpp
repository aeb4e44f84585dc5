#pragma once

#include "cli/transport.hpp"

#include <memory>
#include <string>

namespace taskd::http {
class Client;
}

namespace taskd::cli {

/// Talks to the daemon over a Unix socket or TCP; keeps the connection.
class HttpTransport : public Transport {
  public:
    /// Connects at the first request.
    /// @param endpoint  "unix:/path" or "http://host:port"
    /// @param token     Of the dashboard, sent as a bearer token; empty for none.
    /// @throws BadRequest when the endpoint is neither.
    HttpTransport(const std::string& endpoint, std::string token);
    ~HttpTransport() override;

    Answer request(const Request& request) override;

  private:
    std::string token_;
    std::unique_ptr<http::Client> client_;
};

}  // namespace taskd::cli
