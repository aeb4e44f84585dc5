#include "http/client.hpp"

#include "http/file_descriptor.hpp"
#include "http/message.hpp"
#include "http/tls_socket.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <arpa/inet.h>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <netdb.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <taskd/error.hpp>

namespace taskd::http {

namespace {

namespace beast_http = boost::beast::http;
using ResponseParser = beast_http::response_parser<beast_http::string_body>;
using TimePoint = std::chrono::steady_clock::time_point;

/// The connection ended or broke before a byte of the answer came: it may have been a kept one that was closed.
struct ConnectionLost {
    int code;
};

std::string message_of(int code) {
    return std::generic_category().message(code);
}

std::string request_text(std::string_view method, std::string_view target, const std::vector<NameValue>& headers,
                         std::string_view body, const Endpoint& endpoint) {
    constexpr std::string_view forbidden("\r\n\0", 3);
    if (std::any_of(target.begin(), target.end(), [](unsigned char c) { return c <= ' ' || c == 0x7F; }))
        throw BadRequest("target", "a request target cannot hold spaces or control characters");
    std::string text;
    text.append(method).append(" ").append(target).append(" HTTP/1.1\r\nHost: ");
    text.append(endpoint.kind == Endpoint::Kind::unix_socket ? "localhost" : endpoint.text()).append("\r\n");
    for (const auto& [name, value] : headers) {
        if (name.find_first_of(forbidden) != std::string::npos || value.find_first_of(forbidden) != std::string::npos)
            throw BadRequest(name, "a header value cannot hold a line break or NUL");
        text.append(name).append(": ").append(value).append("\r\n");
    }
    const bool usually_has_body = method == "POST" || method == "PUT" || method == "PATCH";
    if (usually_has_body || !body.empty()) text.append("Content-Length: " + std::to_string(body.size()) + "\r\n");
    return text.append("\r\n").append(body);
}

}  // namespace

std::optional<std::string_view> ClientResponse::header(std::string_view name) const noexcept {
    for (const auto& [header_name, value] : headers)
        if (same_name(header_name, name)) return value;
    return std::nullopt;
}

struct Client::Impl {
    Impl(Endpoint remote, std::size_t max_body, TlsTrust whom)
        : endpoint(std::move(remote)), max_body_bytes(max_body), trust(std::move(whom)) {}

    Endpoint endpoint;
    std::size_t max_body_bytes;
    TlsTrust trust;
    TlsContext tls_context;  // made once, with the first connection
    FileDescriptor socket;
    std::optional<TlsSocket> tls;

    [[noreturn]] void fail(int code, const std::string& problem) const {
        throw Error(ErrorKind::unavailable, code, "http", endpoint.text() + ": " + problem);
    }

    void wait_for(short events, TimePoint deadline, const char* doing) const;
    bool is_stale() const;
    void disconnect();
    void connect(TimePoint deadline);
    void connect_socket(TimePoint deadline);
    void make_tls_context();
    void expect_name();
    void handshake(TimePoint deadline);
    [[noreturn]] void fail_handshake() const;
    void connect_to(const sockaddr* address, socklen_t size, TimePoint deadline);
    void send(std::string_view text, TimePoint deadline);
    std::size_t receive(char* data, std::size_t size, TimePoint deadline);
    std::size_t receive_plain(char* data, std::size_t size, TimePoint deadline) const;
    void send_plain(std::string_view text, TimePoint deadline) const;
    ClientResponse read_response(bool is_head, TimePoint deadline);
    void read_message(ResponseParser& parser, std::string& buffer, TimePoint deadline);
};

void Client::Impl::wait_for(short events, TimePoint deadline, const char* doing) const {
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
        pollfd waiting{socket.get(), events, 0};
        const auto most = std::chrono::milliseconds(std::chrono::hours(1));
        const auto milliseconds = std::clamp(left, std::chrono::milliseconds(0), most).count();
        const int ready = ::poll(&waiting, 1, static_cast<int>(milliseconds));
        if (ready > 0) return;
        if (ready < 0 && errno != EINTR) fail(errno, std::string(doing) + ": " + message_of(errno));
        if (std::chrono::steady_clock::now() >= deadline) fail(ETIMEDOUT, std::string(doing) + ": timed out");
    }
}

// An idle connection has nothing to read, unless it has ended. (With TLS the tickets for later connections may be
// there, which have been read along with the first answer.)
bool Client::Impl::is_stale() const {
    pollfd waiting{socket.get(), POLLIN, 0};
    return ::poll(&waiting, 1, 0) != 0;
}

void Client::Impl::disconnect() {
    if (tls) tls->end_output();
    tls.reset();
    socket.reset();
}

void Client::Impl::connect_to(const sockaddr* address, socklen_t size, TimePoint deadline) {
    socket = FileDescriptor(::socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!socket) fail(errno, "cannot make a socket: " + message_of(errno));
    int code = 0;
    // A Unix socket whose queue is full says EAGAIN and gives nothing to poll for; so does poll's pause.
    while (::connect(socket.get(), address, size) != 0) {
        code = errno;
        if (code == EINPROGRESS) {
            wait_for(POLLOUT, deadline, "cannot connect");
            socklen_t length = sizeof(code);
            ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &code, &length);
            break;
        }
        if (code != EAGAIN && code != EINTR) break;
        if (std::chrono::steady_clock::now() >= deadline) break;
        constexpr int pause_ms = 5;
        ::poll(nullptr, 0, pause_ms);
        code = 0;
    }
    if (code != 0) {
        socket.reset();
        fail(code == EAGAIN ? ETIMEDOUT : code, "cannot connect: " + message_of(code));
    }
}

void Client::Impl::make_tls_context() {
    if (tls_context) return;
    auto context = new_tls_context(TLS_client_method());
    if (trust.verify) {
        SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
        // Who names the server's own certificate need not have that of its authority.
        X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context.get()), X509_V_FLAG_PARTIAL_CHAIN);
        if (trust.ca_file.empty())
            SSL_CTX_set_default_verify_paths(context.get());
        else if (SSL_CTX_load_verify_file(context.get(), trust.ca_file.c_str()) != 1)
            throw BadRequest("ca", "no certificates can be read from " + trust.ca_file + ": " + take_tls_reason());
    }
    tls_context = std::move(context);
}

/// The certificate must be of the host that was asked for; a server with several is told which.
void Client::Impl::expect_name() {
    auto* connection = tls->connection();
    std::array<unsigned char, sizeof(in6_addr)> address{};
    const bool is_address = ::inet_pton(AF_INET, endpoint.host.c_str(), address.data()) == 1 ||
                            ::inet_pton(AF_INET6, endpoint.host.c_str(), address.data()) == 1;
    if (!is_address) SSL_set_tlsext_host_name(connection, endpoint.host.c_str());
    if (!trust.verify) return;
    if (is_address)
        X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(connection), endpoint.host.c_str());
    else
        SSL_set1_host(connection, endpoint.host.c_str());
}

void Client::Impl::handshake(TimePoint deadline) {
    make_tls_context();
    tls.emplace(tls_context.get(), socket.get(), TlsSocket::Side::client);
    expect_name();
    for (;;) {
        switch (tls->handshake().status) {
            case TlsSocket::Status::done:
                return;
            case TlsSocket::Status::wait_to_read:
                wait_for(POLLIN, deadline, "no TLS handshake");
                break;
            case TlsSocket::Status::wait_to_write:
                wait_for(POLLOUT, deadline, "no TLS handshake");
                break;
            case TlsSocket::Status::ended:
            case TlsSocket::Status::failed:
                fail_handshake();
        }
    }
}

void Client::Impl::fail_handshake() const {
    const auto verified = SSL_get_verify_result(tls->connection());
    if (trust.verify && verified != X509_V_OK)
        fail(EKEYREJECTED,
             std::string("its certificate is not to be trusted: ") + X509_verify_cert_error_string(verified));
    const auto& problem = tls->problem();
    if (problem == "wrong version number") fail(ECONNABORTED, "no TLS handshake: it does not speak HTTPS");
    fail(ECONNABORTED, "no TLS handshake: " + (problem.empty() ? "the connection ended" : problem));
}

void Client::Impl::connect(TimePoint deadline) {
    connect_socket(deadline);
    if (endpoint.tls) handshake(deadline);
}

void Client::Impl::connect_socket(TimePoint deadline) {
    if (endpoint.kind == Endpoint::Kind::unix_socket) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        if (endpoint.path.size() >= sizeof(address.sun_path)) fail(ENAMETOOLONG, message_of(ENAMETOOLONG));
        std::memcpy(address.sun_path, endpoint.path.data(), endpoint.path.size());
        connect_to(reinterpret_cast<const sockaddr*>(&address), sizeof(address), deadline);
        return;
    }
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICSERV;
    addrinfo* raw = nullptr;
    if (const int error = ::getaddrinfo(endpoint.host.c_str(), std::to_string(endpoint.port).c_str(), &hints, &raw))
        fail(EADDRNOTAVAIL, std::string("cannot look the name up: ") + ::gai_strerror(error));
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> found(raw, &::freeaddrinfo);
    for (const auto* entry = found.get(); entry; entry = entry->ai_next) {
        try {
            connect_to(entry->ai_addr, entry->ai_addrlen, deadline);
            break;
        } catch (const Error&) {
            if (!entry->ai_next || std::chrono::steady_clock::now() >= deadline) throw;
        }
    }
    const int on = 1;
    ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

void Client::Impl::send(std::string_view text, TimePoint deadline) {
    if (!tls) {
        send_plain(text, deadline);
        return;
    }
    while (!text.empty()) {
        const auto [status, bytes] = tls->write(text);
        if (status == TlsSocket::Status::done)
            text.remove_prefix(bytes);
        else if (status == TlsSocket::Status::wait_to_write || status == TlsSocket::Status::wait_to_read)
            wait_for(status == TlsSocket::Status::wait_to_write ? POLLOUT : POLLIN, deadline,
                     "cannot send the request");
        else
            return;  // as in send_plain
    }
}

void Client::Impl::send_plain(std::string_view text, TimePoint deadline) const {
    while (!text.empty()) {
        const auto sent = ::send(socket.get(), text.data(), text.size(), MSG_NOSIGNAL);
        if (sent >= 0) {
            text.remove_prefix(static_cast<std::size_t>(sent));
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            wait_for(POLLOUT, deadline, "cannot send the request");
        } else if (errno != EINTR) {
            return;  // A server that refuses the request may have answered before it closed: reading will tell.
        }
    }
}

/// @returns  0 at the end of the stream.
std::size_t Client::Impl::receive(char* data, std::size_t size, TimePoint deadline) {
    if (!tls) return receive_plain(data, size, deadline);
    for (;;) {
        const auto [status, bytes] = tls->read({data, size});
        if (status == TlsSocket::Status::done) return bytes;
        if (status == TlsSocket::Status::ended) return 0;
        if (status == TlsSocket::Status::failed) throw ConnectionLost{ECONNRESET};
        wait_for(status == TlsSocket::Status::wait_to_read ? POLLIN : POLLOUT, deadline, "no answer");
    }
}

std::size_t Client::Impl::receive_plain(char* data, std::size_t size, TimePoint deadline) const {
    for (;;) {
        const auto got = ::recv(socket.get(), data, size, 0);
        if (got >= 0) return static_cast<std::size_t>(got);
        if (errno == EAGAIN || errno == EWOULDBLOCK)
            wait_for(POLLIN, deadline, "no answer");
        else if (errno != EINTR)
            throw ConnectionLost{errno};
    }
}

void Client::Impl::read_message(ResponseParser& parser, std::string& buffer, TimePoint deadline) {
    std::array<char, 64 * 1024> piece{};
    parser.eager(true);
    parser.body_limit(max_body_bytes);
    parser.header_limit(1024 * 1024);
    while (!parser.is_done()) {
        boost::beast::error_code error;
        if (!buffer.empty()) {
            buffer.erase(0, parser.put({buffer.data(), buffer.size()}, error));
            if (error && error != beast_http::error::need_more) fail(EPROTO, "malformed answer: " + error.message());
            if (parser.is_done()) return;
        }
        const auto got = receive(piece.data(), piece.size(), deadline);
        if (got == 0) {
            if (!parser.got_some()) throw ConnectionLost{ECONNRESET};
            parser.put_eof(error);
            if (error) fail(ECONNRESET, "the connection ended in the middle of the answer");
            return;
        }
        buffer.append(piece.data(), got);
    }
}

ClientResponse Client::Impl::read_response(bool is_head, TimePoint deadline) {
    std::string buffer;
    for (;;) {
        ResponseParser parser;
        parser.skip(is_head);
        read_message(parser, buffer, deadline);
        auto& message = parser.get();
        if (message.result_int() / 100 == 1) continue;  // "100 Continue" and its like: the answer is yet to come
        ClientResponse response;
        response.status = static_cast<int>(message.result_int());
        for (const auto& field : message)
            response.headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
        response.body = std::move(message.body());
        if (!parser.keep_alive() || !buffer.empty()) disconnect();
        return response;
    }
}

Client::Client(Endpoint endpoint, std::size_t max_body_bytes, TlsTrust trust)
    : impl_(std::make_unique<Impl>(std::move(endpoint), max_body_bytes, std::move(trust))) {}
Client::~Client() {
    if (impl_) impl_->disconnect();
}
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;

const Endpoint& Client::endpoint() const noexcept {
    return impl_->endpoint;
}

ClientResponse Client::request(std::string_view method, std::string_view target, const std::vector<NameValue>& headers,
                               std::string_view body, std::chrono::milliseconds timeout) {
    const auto text = request_text(method, target, headers, body, impl_->endpoint);
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    const bool may_repeat = method == "GET" || method == "HEAD";
    if (impl_->socket && impl_->is_stale()) impl_->disconnect();
    for (;;) {
        const bool was_kept = static_cast<bool>(impl_->socket);
        try {
            if (!was_kept) impl_->connect(deadline);
            impl_->send(text, deadline);
            return impl_->read_response(method == "HEAD", deadline);
        } catch (const ConnectionLost& lost) {
            impl_->disconnect();
            if (was_kept && may_repeat) continue;
            impl_->fail(lost.code, "the connection ended before the answer: " + message_of(lost.code));
        } catch (...) {
            impl_->disconnect();
            throw;
        }
    }
}

}  // namespace taskd::http
