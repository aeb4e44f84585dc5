#include "http/tls_stream.hpp"

#include <array>
#include <string_view>

#include <sys/socket.h>

#include <boost/asio/error.hpp>

namespace taskd::http {

namespace {

using Status = TlsSocket::Status;

std::string_view text_of(net::const_buffer bytes) {
    return {static_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

TlsStream::TlsStream(StreamSocket socket, std::shared_ptr<const TlsIdentity> identity)
    : identity_(std::move(identity)),
      socket_(std::move(socket)),
      tls_(std::make_unique<TlsSocket>(identity_->context(), socket_.native_handle(), TlsSocket::Side::server)) {}

TlsStream::~TlsStream() {
    if (tls_ && socket_.is_open()) tls_->end_output();
}

net::awaitable<void> TlsStream::wait(StreamSocket::wait_type until, boost::system::error_code& error) {
    return socket_.async_wait(until, net::redirect_error(net::use_awaitable, error));
}

/// A method's first letter; a handshake begins with a byte that is none.
bool TlsStream::sees_plain_http() {
    char first = 0;
    return ::recv(socket_.native_handle(), &first, 1, MSG_PEEK) == 1 && first >= 'A' && first <= 'Z';
}

net::awaitable<TlsStream::Greeting> TlsStream::handshake() {
    boost::system::error_code error;
    auto until = StreamSocket::wait_read;
    for (bool is_first = true;; is_first = false) {
        co_await wait(until, error);
        if (error || !tls_) {
            problem_ = error ? error.message() : "closed";
            co_return Greeting::none;
        }
        if (is_first && sees_plain_http()) {
            tls_.reset();
            co_return Greeting::plain;
        }
        const auto status = tls_->handshake().status;
        if (status == Status::done) co_return Greeting::tls;
        if (status == Status::ended || status == Status::failed) {
            problem_ = status == Status::ended ? "the connection ended" : tls_->problem();
            co_return Greeting::none;
        }
        until = status == Status::wait_to_write ? StreamSocket::wait_write : StreamSocket::wait_read;
    }
}

net::awaitable<std::size_t> TlsStream::read_some(net::mutable_buffer space, boost::system::error_code& error) {
    auto until = StreamSocket::wait_read;
    if (!tls_) error = net::error::bad_descriptor;
    if (error) co_return 0;
    // Waiting first also gives the other connections of the thread their turn.
    for (bool waits = !tls_->has_pending();; waits = true) {
        if (waits) co_await wait(until, error);
        if (!error && !tls_) error = net::error::operation_aborted;  // closed meanwhile
        if (error) co_return 0;
        const auto [status, bytes] = tls_->read({static_cast<char*>(space.data()), space.size()});
        if (status == Status::done) co_return bytes;
        if (status == Status::ended) error = net::error::eof;
        if (status == Status::failed) error = net::error::connection_reset;
        until = status == Status::wait_to_write ? StreamSocket::wait_write : StreamSocket::wait_read;
        if (error) co_return 0;
    }
}

std::size_t TlsStream::write_now(const TwoBuffers& bytes, boost::system::error_code& error) {
    if (!tls_) return socket_.write_some(bytes, error);
    std::size_t sent = 0;
    for (const auto& buffer : bytes) {
        for (auto rest = text_of(buffer); !rest.empty();) {
            const auto result = tls_->write(rest);
            if (result.status == Status::failed || result.status == Status::ended) error = net::error::connection_reset;
            if (result.status != Status::done) return sent;
            sent += result.bytes;
            rest.remove_prefix(result.bytes);
        }
    }
    return sent;
}

std::size_t TlsStream::write_now(const TwoBuffers& bytes) {
    boost::system::error_code ignored;
    return write_now(bytes, ignored);
}

net::awaitable<std::size_t> TlsStream::write_some(const TwoBuffers& bytes, boost::system::error_code& error) {
    for (;;) {
        co_await wait(StreamSocket::wait_write, error);
        if (error) co_return 0;
        const auto sent = write_now(bytes, error);
        if (error == net::error::would_block) error.clear();
        if (sent > 0 || error) co_return sent;
    }
}

void TlsStream::end_output() {
    if (tls_) tls_->end_output();
    boost::system::error_code ignored;
    socket_.shutdown(StreamSocket::shutdown_send, ignored);
}

net::awaitable<std::size_t> TlsStream::drop_some(net::mutable_buffer space, boost::system::error_code& error) {
    return socket_.async_read_some(space, net::redirect_error(net::use_awaitable, error));
}

bool TlsStream::drop_now() {
    if (!tls_) return false;
    std::array<char, 4096> dropped{};
    const auto status = tls_->read(dropped).status;
    return status != Status::ended && status != Status::failed;
}

void TlsStream::cancel() {
    boost::system::error_code ignored;
    socket_.cancel(ignored);
}

void TlsStream::close() {
    tls_.reset();  // knows its descriptor by number, which soon is another's
    boost::system::error_code ignored;
    socket_.close(ignored);
}

}  // namespace taskd::http
