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
    /// @param endpoint  "unix:/path", "http://host:port" or "https://host:port"
    /// @param token     Of the dashboard, sent as a bearer token; empty for none.
    /// @param ca_file   PEM file of those who say that it is the daemon, for https; empty: those that the system knows.
    /// @throws BadRequest when the endpoint is neither.
    HttpTransport(const std::string& endpoint, std::string token, std::string ca_file = {});
    ~HttpTransport() override;

    Answer request(const Request& request) override;

  private:
    std::string token_;
    std::unique_ptr<http::Client> client_;
};

}  // namespace taskd::cli
