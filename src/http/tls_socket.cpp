#include "http/tls_socket.hpp"

#include <cerrno>
#include <cstdint>
#include <new>
#include <system_error>

#include <sys/socket.h>

#include <openssl/err.h>

namespace taskd::http {

namespace {

int socket_of(BIO* bio) {
    return static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio)));
}

bool is_for_later(int code) noexcept {
    return code == EAGAIN || code == EWOULDBLOCK || code == EINTR;
}

int write_to_socket(BIO* bio, const char* data, std::size_t size, std::size_t* written) {
    BIO_clear_retry_flags(bio);
    const auto sent = ::send(socket_of(bio), data, size, MSG_NOSIGNAL);
    if (sent < 0) {
        if (is_for_later(errno)) BIO_set_retry_write(bio);
        return 0;
    }
    *written = static_cast<std::size_t>(sent);
    return 1;
}

int read_from_socket(BIO* bio, char* data, std::size_t size, std::size_t* read) {
    BIO_clear_retry_flags(bio);
    errno = 0;
    const auto got = ::recv(socket_of(bio), data, size, 0);
    if (got <= 0) {
        if (got == 0) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
        if (got < 0 && is_for_later(errno)) BIO_set_retry_read(bio);
        return 0;
    }
    *read = static_cast<std::size_t>(got);
    return 1;
}

long control(BIO* bio, int command, long, void*) {
    if (command == BIO_CTRL_FLUSH) return 1;
    if (command == BIO_CTRL_EOF) return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
    return 0;
}

/// OpenSSL's own for sockets raises SIGPIPE.
const BIO_METHOD* socket_method() {
    static const auto method = [] {
        auto* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket without SIGPIPE");
        if (made == nullptr) throw std::bad_alloc();
        BIO_meth_set_write_ex(made, write_to_socket);
        BIO_meth_set_read_ex(made, read_from_socket);
        BIO_meth_set_ctrl(made, control);
        return std::unique_ptr<BIO_METHOD, decltype(&BIO_meth_free)>(made, &BIO_meth_free);
    }();
    return method.get();
}

}  // namespace

TlsSocket::TlsSocket(SSL_CTX* context, int socket, Side side) : connection_(SSL_new(context)) {
    Bio bio(BIO_new(socket_method()));
    if (!connection_ || !bio) throw std::bad_alloc();
    const std::intptr_t number = socket;
    // NOLINTNEXTLINE(performance-no-int-to-ptr): a number in a place for pointers, which nobody follows
    BIO_set_data(bio.get(), reinterpret_cast<void*>(number));
    BIO_set_init(bio.get(), 1);
    auto* owned_by_connection = bio.release();
    SSL_set_bio(connection_.get(), owned_by_connection, owned_by_connection);
    if (side == Side::server)
        SSL_set_accept_state(connection_.get());
    else
        SSL_set_connect_state(connection_.get());
}

TlsSocket::Result TlsSocket::result_of(int returned, std::size_t bytes) {
    if (returned > 0) return {Status::done, bytes};
    const int code = errno;
    switch (SSL_get_error(connection_.get(), returned)) {
        case SSL_ERROR_WANT_READ:
            return {Status::wait_to_read};
        case SSL_ERROR_WANT_WRITE:
            return {Status::wait_to_write};
        case SSL_ERROR_ZERO_RETURN:
            return {Status::ended};
        default:
            break;
    }
    established_ = false;  // nothing more may be said on it
    problem_ = take_tls_reason();
    if (problem_.empty()) problem_ = code != 0 ? std::generic_category().message(code) : "the connection ended";
    return {Status::failed};
}

TlsSocket::Result TlsSocket::handshake() {
    ERR_clear_error();
    errno = 0;
    const int returned = SSL_do_handshake(connection_.get());
    established_ = returned > 0;
    return result_of(returned, 0);
}

TlsSocket::Result TlsSocket::read(std::span<char> space) {
    ERR_clear_error();
    errno = 0;
    std::size_t got = 0;
    const int returned = SSL_read_ex(connection_.get(), space.data(), space.size(), &got);
    return result_of(returned, got);
}

TlsSocket::Result TlsSocket::write(std::string_view bytes) {
    ERR_clear_error();
    errno = 0;
    std::size_t sent = 0;
    const int returned = SSL_write_ex(connection_.get(), bytes.data(), bytes.size(), &sent);
    return result_of(returned, sent);
}

bool TlsSocket::has_pending() const noexcept {
    return SSL_has_pending(connection_.get()) != 0;
}

void TlsSocket::end_output() noexcept {
    if (!established_ || output_ended_) return;
    output_ended_ = true;
    ERR_clear_error();
    (void)SSL_shutdown(connection_.get());
    ERR_clear_error();
}

}  // namespace taskd::http
