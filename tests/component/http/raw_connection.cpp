#include "raw_connection.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>

#include <sys/socket.h>
#include <sys/un.h>

#include <arpa/inet.h>
#include <poll.h>

namespace taskd::http::test {

namespace {

[[noreturn]] void fail(const char* doing) {
    throw std::system_error(errno, std::generic_category(), doing);
}

void connect_any(int socket, const Endpoint& endpoint) {
    int result = 0;
    if (endpoint.kind == Endpoint::Kind::unix_socket) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strncpy(address.sun_path, endpoint.path.c_str(), sizeof(address.sun_path) - 1);
        result = ::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
    } else {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(endpoint.port);
        inet_pton(AF_INET, endpoint.host.c_str(), &address.sin_addr);
        result = ::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
    }
    if (result != 0) fail("connect");
}

}  // namespace

RawConnection::RawConnection(Endpoint::Kind kind)
    : socket_(::socket(kind == Endpoint::Kind::unix_socket ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (!socket_) fail("socket");
    const timeval patience{patience_ms / 1000, 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
}

RawConnection::RawConnection(const Endpoint& endpoint) : RawConnection(endpoint.kind) {
    connect(endpoint);
}

void RawConnection::connect(const Endpoint& endpoint) {
    connect_any(socket_.get(), endpoint);
}

void RawConnection::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent < 0) fail("send");
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
}

std::size_t RawConnection::send_what_fits(std::string_view bytes) {
    const auto sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return sent < 0 ? 0 : static_cast<std::size_t>(sent);
}

void RawConnection::end_of_requests() {
    ::shutdown(socket_.get(), SHUT_WR);
}

void RawConnection::keep_small_receive_buffer(int bytes) {
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
}

bool RawConnection::receive() {
    std::array<char, 65536> piece{};
    const auto got = ::recv(socket_.get(), piece.data(), piece.size(), 0);
    if (got < 0 && errno == ECONNRESET) return false;
    if (got < 0) fail("receive");
    received_.append(piece.data(), static_cast<std::size_t>(got));
    return got > 0;
}

std::string RawConnection::response(bool without_body) {
    constexpr std::string_view length_field = "Content-Length: ";
    for (;;) {
        const auto head_size = received_.find("\r\n\r\n");
        if (head_size != std::string::npos) {
            const auto length_at = received_.find(length_field);
            const bool has_body = !without_body && length_at < head_size;
            const auto size =
                head_size + 4 + (has_body ? std::stoul(received_.substr(length_at + length_field.size())) : 0);
            if (received_.size() >= size) {
                auto response = received_.substr(0, size);
                received_.erase(0, size);
                return response;
            }
        }
        if (!receive()) throw std::runtime_error("the connection ended before the response: " + received_);
    }
}

std::string RawConnection::until(std::string_view end) {
    for (;;) {
        const auto found = received_.find(end);
        if (found != std::string::npos) return take(found + end.size());
        if (!receive()) throw std::runtime_error("the connection ended before what was awaited: " + received_);
    }
}

std::string RawConnection::take(std::size_t bytes) {
    while (received_.size() < bytes)
        if (!receive()) throw std::runtime_error("the connection ended before what was awaited: " + received_);
    auto taken = received_.substr(0, bytes);
    received_.erase(0, bytes);
    return taken;
}

std::string RawConnection::rest() {
    while (receive()) continue;
    return std::exchange(received_, {});
}

std::string get(std::string_view target, std::string_view more_headers) {
    return "GET " + std::string(target) + " HTTP/1.1\r\nHost: h\r\n" + std::string(more_headers) + "\r\n";
}

int status_of(std::string_view response) {
    constexpr std::string_view version = "HTTP/1.1 ";
    return response.starts_with(version) ? std::stoi(std::string(response.substr(version.size(), 3))) : 0;
}

std::string_view body_of(std::string_view response) {
    return response.substr(response.find("\r\n\r\n") + 4);
}

bool eventually(const std::function<bool()>& condition) {
    for (int waited = 0; waited < patience_ms; ++waited) {
        if (condition()) return true;
        ::poll(nullptr, 0, 1);
    }
    return condition();
}

}  // namespace taskd::http::test
