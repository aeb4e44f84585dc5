#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace taskd::http {

/// Where a server listens or a client connects to.
struct Endpoint {
    enum class Kind { tcp, unix_socket };

    Kind kind = Kind::tcp;
    std::string host;        ///< Address or name without brackets; TCP only.
    std::uint16_t port = 0;  ///< TCP only; 0 lets the system choose when listening.
    std::string path;        ///< Unix socket only.
    bool tls = false;        ///< TCP only.

    /// Reads "unix:/run/taskd.sock", "http://127.0.0.1:8080", "https://name:8443", "127.0.0.1:8080", "[::1]:8080" or
    /// "name:8080". With a scheme the port may be left out (80, 443) and one "/" may follow.
    /// @throws BadRequest on anything else; the field is "endpoint".
    static Endpoint parse(std::string_view text);

    static Endpoint tcp(std::string host, std::uint16_t port);
    static Endpoint unix_socket(std::string path);

    /// Without a scheme for TCP: "127.0.0.1:8080", "[::1]:8080", "unix:/run/taskd.sock".
    std::string text() const;
    /// With it: "https://[::1]:8443", "unix:/run/taskd.sock".
    std::string url() const;

    friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

}  // namespace taskd::http
