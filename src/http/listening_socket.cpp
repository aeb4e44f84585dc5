#include "http/listening_socket.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <system_error>

#include <netinet/in.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <taskd/error.hpp>

namespace taskd::http {

namespace {

[[noreturn]] void fail(const Endpoint& endpoint, int code, const std::string& problem) {
    throw Error(ErrorKind::unavailable, code, "http", "listen on " + endpoint.text() + ": " + problem);
}

[[noreturn]] void fail(const Endpoint& endpoint, int code) {
    fail(endpoint, code, std::generic_category().message(code));
}

FileDescriptor new_socket(int family, const Endpoint& endpoint) {
    FileDescriptor socket(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!socket) fail(endpoint, errno);
    return socket;
}

Endpoint endpoint_of(const sockaddr_storage& address) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (address.ss_family == AF_INET6) {
        const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
        inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
        return Endpoint::tcp(text.data(), ntohs(v6.sin6_port));
    }
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
    return Endpoint::tcp(text.data(), ntohs(v4.sin_port));
}

sockaddr_un unix_address(const std::string& path, const Endpoint& endpoint) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof(address.sun_path)) fail(endpoint, ENAMETOOLONG);
    std::memcpy(address.sun_path, path.data(), path.size());
    return address;
}

/// Held while a socket file is looked at and replaced, so that two servers that start at once cannot both find the old
/// file dead and the slower one remove the faster one's.
FileDescriptor lock_directory_of(const std::string& path, const Endpoint& endpoint) {
    const auto slash = path.rfind('/');
    const auto directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
    FileDescriptor lock(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!lock) fail(endpoint, errno);
    constexpr int tries = 100;
    constexpr int pause_ms = 10;
    for (int tried = 0; tried < tries; ++tried) {
        if (::flock(lock.get(), LOCK_EX | LOCK_NB) == 0) return lock;
        if (errno != EWOULDBLOCK && errno != EINTR) fail(endpoint, errno);
        ::poll(nullptr, 0, pause_ms);
    }
    fail(endpoint, EAGAIN, "another program holds a lock on " + directory);
}

void remove_dead_file(const sockaddr_un& address, const Endpoint& endpoint) {
    struct stat file {};
    if (::lstat(address.sun_path, &file) != 0) {
        if (errno == ENOENT) return;
        fail(endpoint, errno);
    }
    if (!S_ISSOCK(file.st_mode)) fail(endpoint, EEXIST, "the file exists and is no socket");
    const auto probe = new_socket(AF_UNIX, endpoint);
    const int connected = ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address));
    // EAGAIN: its queue is full, so somebody is there.
    if (connected == 0 || errno == EAGAIN || errno == EINPROGRESS)
        fail(endpoint, EADDRINUSE, "another process answers on it");
    if (errno != ECONNREFUSED) fail(endpoint, errno);
    if (::unlink(address.sun_path) != 0 && errno != ENOENT) fail(endpoint, errno);
}

}  // namespace

ListeningSocket::ListeningSocket(const Endpoint& endpoint, int backlog, mode_t unix_mode) : endpoint_(endpoint) {
    if (endpoint.kind == Endpoint::Kind::unix_socket)
        listen_unix(backlog, unix_mode);
    else
        listen_tcp(backlog);
}

ListeningSocket::~ListeningSocket() {
    close();
}

void ListeningSocket::close() noexcept {
    if (file_) {
        struct stat now {};
        if (::lstat(endpoint_.path.c_str(), &now) == 0 && std::pair(now.st_dev, now.st_ino) == *file_)
            ::unlink(endpoint_.path.c_str());
        file_.reset();
    }
    socket_.reset();
}

void ListeningSocket::listen_tcp(int backlog) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
    addrinfo* raw = nullptr;
    if (const int error = ::getaddrinfo(endpoint_.host.c_str(), std::to_string(endpoint_.port).c_str(), &hints, &raw))
        fail(endpoint_, error == EAI_SYSTEM ? errno : EADDRNOTAVAIL, ::gai_strerror(error));
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> found(raw, &::freeaddrinfo);

    socket_ = new_socket(found->ai_family, endpoint_);
    const int on = 1;
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (found->ai_family == AF_INET6) ::setsockopt(socket_.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    if (::bind(socket_.get(), found->ai_addr, found->ai_addrlen) != 0) fail(endpoint_, errno);
    if (::listen(socket_.get(), backlog) != 0) fail(endpoint_, errno);

    sockaddr_storage bound{};
    socklen_t size = sizeof(bound);
    if (::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&bound), &size) != 0) fail(endpoint_, errno);
    const bool tls = endpoint_.tls;
    endpoint_ = endpoint_of(bound);
    endpoint_.tls = tls;
}

void ListeningSocket::listen_unix(int backlog, mode_t mode) {
    const auto address = unix_address(endpoint_.path, endpoint_);
    const auto lock = lock_directory_of(endpoint_.path, endpoint_);
    remove_dead_file(address, endpoint_);
    socket_ = new_socket(AF_UNIX, endpoint_);
    if (::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
        fail(endpoint_, errno);
    struct stat file {};
    if (::lstat(address.sun_path, &file) != 0) fail(endpoint_, errno);
    file_ = {file.st_dev, file.st_ino};
    // Between bind and listen nobody can connect, so nobody gets in by the umask's permissions.
    if (::chmod(address.sun_path, mode) != 0 || ::listen(socket_.get(), backlog) != 0) {
        const int code = errno;
        close();
        fail(endpoint_, code);
    }
}

Peer peer_of(int socket, const Endpoint& listening) {
    Peer peer;
    if (listening.kind == Endpoint::Kind::unix_socket) {
        peer.kind = Peer::Kind::unix_socket;
        peer.address = listening.text();
        ucred credentials{};
        socklen_t size = sizeof(credentials);
        if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0)
            peer.credentials = PeerCredentials{credentials.uid, credentials.gid, credentials.pid};
        return peer;
    }
    sockaddr_storage address{};
    socklen_t size = sizeof(address);
    if (::getpeername(socket, reinterpret_cast<sockaddr*>(&address), &size) == 0)
        peer.address = endpoint_of(address).text();
    peer.secure = listening.tls;
    return peer;
}

}  // namespace taskd::http
