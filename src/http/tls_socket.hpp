#pragma once

#include "http/tls_handles.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace taskd::http {

/// TLS on a connected, non-blocking socket that belongs to somebody else, who also waits for it. Never blocks, and
/// keeps no more in memory than the record that is under way. Not thread-safe.
class TlsSocket {
  public:
    enum class Side { server, client };
    enum class Status {
        done,
        wait_to_read,   ///< Do it again, with the same bytes, when the socket can be read,
        wait_to_write,  ///< or written.
        ended,          ///< The other side sends no more.
        failed,         ///< For good: see problem().
    };
    struct Result {
        Status status = Status::failed;
        std::size_t bytes = 0;  ///< Read or written; not 0 when done.
    };

    /// @param context  Kept alive by the connection.
    /// @throws std::bad_alloc
    TlsSocket(SSL_CTX* context, int socket, Side side);

    Result handshake();
    Result read(std::span<char> space);
    Result write(std::string_view bytes);
    /// Whether bytes have come that the socket no longer shows.
    bool has_pending() const noexcept;
    /// Tells the other side that no more will come, if there is room for that. Idempotent.
    void end_output() noexcept;

    /// Why it failed: "wrong version number", "Connection reset by peer".
    const std::string& problem() const noexcept { return problem_; }
    SSL* connection() const noexcept { return connection_.get(); }

  private:
    Result result_of(int returned, std::size_t bytes);

    TlsConnection connection_;
    std::string problem_;
    bool established_ = false;
    bool output_ended_ = false;
};

}  // namespace taskd::http
