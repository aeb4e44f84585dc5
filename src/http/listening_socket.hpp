#pragma once

#include "http/endpoint.hpp"
#include "http/file_descriptor.hpp"
#include "http/message.hpp"

#include <optional>
#include <string>
#include <utility>

#include <sys/types.h>

namespace taskd::http {

/// A socket that listens, non-blocking and not inherited by child processes. A Unix socket's file goes with it.
/// Not thread-safe.
class ListeningSocket {
  public:
    /// Binds and listens. `[::]` takes IPv6 alone: name `0.0.0.0` as well for both. Of a name with several addresses
    /// the first one is taken. The file of a Unix socket that nobody answers on is replaced.
    ///
    /// @param unix_mode  Permissions of a Unix socket's file; in force before the first client can connect.
    /// @throws Error (unavailable): "listen on 127.0.0.1:80: Permission denied".
    ListeningSocket(const Endpoint& endpoint, int backlog, mode_t unix_mode);
    ~ListeningSocket();
    ListeningSocket(const ListeningSocket&) = delete;
    ListeningSocket& operator=(const ListeningSocket&) = delete;

    /// As bound: with the port that the system chose.
    const Endpoint& endpoint() const noexcept { return endpoint_; }
    int descriptor() const noexcept { return socket_.get(); }

    /// Stops listening and removes the file, if it still is this socket's. Idempotent.
    void close() noexcept;

  private:
    void listen_tcp(int backlog);
    void listen_unix(int backlog, mode_t mode);

    Endpoint endpoint_;
    FileDescriptor socket_;
    std::optional<std::pair<dev_t, ino_t>> file_;
};

/// Who is at the other end of an accepted socket.
/// @param listening  The endpoint that it came in by.
Peer peer_of(int socket, const Endpoint& listening);

}  // namespace taskd::http
