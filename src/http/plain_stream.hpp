#pragma once

#include "http/awaitable.hpp"

#include <array>
#include <cstddef>
#include <utility>

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace taskd::http {

/// TCP and Unix sockets alike, with the io_context's own executor: no type-erased call for each operation.
using StreamSocket = net::basic_stream_socket<net::generic::stream_protocol, net::io_context::executor_type>;

/// Head and body of a message.
using TwoBuffers = std::array<net::const_buffer, 2>;

/// A session's connection without TLS; TlsStream has the same members. Coroutines' `error` is the waiting caller's.
class PlainStream {
  public:
    explicit PlainStream(StreamSocket socket) : socket_(std::move(socket)) {}

    net::awaitable<std::size_t> read_some(net::mutable_buffer space, boost::system::error_code& error) {
        return socket_.async_read_some(space, net::redirect_error(net::use_awaitable, error));
    }

    /// What fits without waiting; 0 also on errors, which `write_some` will tell.
    std::size_t write_now(const TwoBuffers& bytes) {
        boost::system::error_code error;
        if (bytes[1].size() == 0) return socket_.write_some(bytes[0], error);
        return socket_.write_some(bytes, error);
    }

    /// Waits until something fits.
    net::awaitable<std::size_t> write_some(const TwoBuffers& bytes, boost::system::error_code& error) {
        return socket_.async_write_some(bytes, net::redirect_error(net::use_awaitable, error));
    }

    /// Tells the client that no more will come.
    void end_output() {
        boost::system::error_code ignored;
        socket_.shutdown(StreamSocket::shutdown_send, ignored);
    }

    /// Reads what is of no interest any more.
    net::awaitable<std::size_t> drop_some(net::mutable_buffer space, boost::system::error_code& error) {
        return read_some(space, error);
    }

    /// Calls `handler` with the error code once there is something to read, or the client has gone.
    template <typename Handler>
    void when_readable(Handler handler) {
        socket_.async_wait(StreamSocket::wait_read, std::move(handler));
    }

    /// Drops some of what has come, without waiting. @returns  Whether the client is still there.
    bool drop_now() {
        std::array<char, 4096> dropped{};
        boost::system::error_code error;
        socket_.read_some(net::buffer(dropped), error);
        return !error || error == net::error::would_block;
    }

    void cancel() {
        boost::system::error_code ignored;
        socket_.cancel(ignored);
    }
    void close() {
        boost::system::error_code ignored;
        socket_.close(ignored);
    }

  private:
    StreamSocket socket_;
};

}  // namespace taskd::http
