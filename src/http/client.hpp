#pragma once

#include "http/endpoint.hpp"
#include "http/uri.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace taskd::http {

struct ClientResponse {
    int status = 0;
    std::vector<NameValue> headers;
    std::string body;

    /// The first header of that name, whatever its case.
    std::optional<std::string_view> header(std::string_view name) const noexcept;
};

/// Whom a client takes for the server that it asked for, by TLS.
struct TlsTrust {
    /// PEM file of the authorities, or of the server's own certificate; empty: those that the system knows.
    std::string ca_file{};
    /// False: anybody, which is for a server that asks itself.
    bool verify = true;
};

/// Sends requests over one connection that it keeps, one after the other, and blocks meanwhile.
/// @thread  One at a time.
class Client {
  public:
    static constexpr std::size_t usual_max_body_bytes = 256 * 1024 * 1024;

    /// Connects with the first request.
    /// @param max_body_bytes  A larger response body is an error.
    explicit Client(Endpoint endpoint, std::size_t max_body_bytes = usual_max_body_bytes, TlsTrust trust = {});
    ~Client();
    Client(Client&&) noexcept;
    Client& operator=(Client&&) noexcept;
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    /// Sends the request and returns its answer, whatever its status is. Host, Content-Length and Connection are added.
    ///
    /// A kept connection that the server has closed meanwhile is made anew. If it breaks after the request was sent,
    /// the request is repeated only if that changes nothing (GET, HEAD).
    ///
    /// @param target   Path and query, encoded.
    /// @param timeout  For all of it; only a name look-up keeps to the resolver's own limits.
    /// @throws Error (unavailable, component "http"); the sentence names the endpoint. errno is ETIMEDOUT when time was
    /// up, EKEYREJECTED when the server is not to be trusted, ECONNABORTED when there was no TLS handshake for another
    /// reason.
    /// @throws BadRequest ("ca") when the authorities cannot be read.
    ClientResponse request(std::string_view method, std::string_view target, const std::vector<NameValue>& headers,
                           std::string_view body, std::chrono::milliseconds timeout);

    const Endpoint& endpoint() const noexcept;

  private:
    struct Impl;

    std::unique_ptr<Impl> impl_;
};

}  // namespace taskd::http
