#pragma once

#include "http/plain_stream.hpp"
#include "http/tls_identity.hpp"
#include "http/tls_socket.hpp"

#include <memory>
#include <string>

namespace taskd::http {

/// A session's connection with TLS; but for the handshake it has the members of PlainStream. Asio's own ssl::stream
/// keeps 70 KB for each connection, and its synchronous write cannot stop half-way.
class TlsStream {
  public:
    /// How a connection begins.
    enum class Greeting {
        tls,    ///< The handshake is done.
        plain,  ///< The client speaks HTTP without TLS: so is what is sent from here on.
        none,   ///< See problem().
    };

    TlsStream(StreamSocket socket, std::shared_ptr<const TlsIdentity> identity);
    TlsStream(TlsStream&&) = default;
    TlsStream& operator=(TlsStream&&) = delete;
    TlsStream(const TlsStream&) = delete;
    TlsStream& operator=(const TlsStream&) = delete;
    ~TlsStream();

    /// First of all, and once.
    net::awaitable<Greeting> handshake();
    const std::string& problem() const noexcept { return problem_; }

    net::awaitable<std::size_t> read_some(net::mutable_buffer space, boost::system::error_code& error);
    std::size_t write_now(const TwoBuffers& bytes);
    net::awaitable<std::size_t> write_some(const TwoBuffers& bytes, boost::system::error_code& error);
    void end_output();
    net::awaitable<std::size_t> drop_some(net::mutable_buffer space, boost::system::error_code& error);
    template <typename Handler>
    void when_readable(Handler handler) {
        socket_.async_wait(StreamSocket::wait_read, std::move(handler));
    }
    bool drop_now();
    void cancel();
    void close();

  private:
    net::awaitable<void> wait(StreamSocket::wait_type until, boost::system::error_code& error);
    std::size_t write_now(const TwoBuffers& bytes, boost::system::error_code& error);
    bool sees_plain_http();

    std::shared_ptr<const TlsIdentity> identity_;  // its memory ends where threads agree, not within OpenSSL
    StreamSocket socket_;
    std::unique_ptr<TlsSocket> tls_;  // null: plain, or closed
    std::string problem_;
};

}  // namespace taskd::http
