#pragma once

#include "http/uri.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <sys/types.h>

namespace taskd::http {

class BodyStream;

/// Whether two header names are the same: ASCII letters compare without case.
bool same_name(std::string_view left, std::string_view right) noexcept;

/// The header fields of a request, in one allocation however many there are. Order and duplicates are kept.
class HeaderFields {
  public:
    void add(std::string_view name, std::string_view value);
    void clear() noexcept;
    std::size_t size() const noexcept { return fields_.size(); }

    /// The first field of that name.
    std::optional<std::string_view> find(std::string_view name) const noexcept;

    /// Name and value of the field at `index` < size().
    std::pair<std::string_view, std::string_view> at(std::size_t index) const noexcept;

  private:
    struct Field {
        std::uint32_t offset;
        std::uint32_t name_size;
        std::uint32_t value_size;
    };

    std::string text_;
    std::vector<Field> fields_;
};

/// Who is behind a Unix socket, as the kernel says (SO_PEERCRED).
struct PeerCredentials {
    uid_t uid;
    gid_t gid;
    pid_t pid;
};

struct Peer {
    enum class Kind { tcp, unix_socket };

    Kind kind = Kind::tcp;
    std::string address;                         ///< "127.0.0.1:1234", "[::1]:1234" or "unix:/path".
    bool secure = false;                         ///< By TLS.
    std::optional<PeerCredentials> credentials;  ///< Unix sockets only.
};

/// What proxies that are trusted said of a request; each empty when they did not.
struct Forwarded {
    std::string client;  ///< An address, with a port or without.
    std::string scheme;  ///< "http", "https".
    std::string host;    ///< Of the URL that the client asked for.
};

struct Request {
    std::string method;             ///< As sent: "GET".
    std::string target;             ///< As sent: "/api/task/?name=x".
    std::string path;               ///< "/api/task": '//' collapsed, trailing slash dropped, still percent-encoded.
    std::vector<NameValue> query;   ///< Decoded, in order, with duplicates.
    std::vector<NameValue> params;  ///< The route's parameters, decoded twice: see decode_path_parameter.
    HeaderFields headers;
    std::string body;
    Peer peer;
    std::optional<Forwarded> forwarded;  ///< None when the peer is no proxy that is trusted.
    std::shared_ptr<const void> caller;  ///< Set by, and known to, whoever watches over the routes.

    std::optional<std::string_view> header(std::string_view name) const noexcept { return headers.find(name); }

    /// Who sent it, for people to read: "192.0.2.1:1234"; "192.0.2.1 via 127.0.0.1:1234" when a proxy passed it on.
    std::string client() const;
    /// Whether it came by TLS, to us or to the proxy.
    bool is_secure() const noexcept;
    /// The host that the client asked, with its port if it named one; may be empty.
    std::string_view host() const noexcept;

    /// The path parameter of that name; asking for one that the route's pattern does not have is a bug.
    /// @throws std::out_of_range
    const std::string& param(std::string_view name) const;

    /// Makes it as new but keeps the memory; the peer stays.
    void clear() noexcept;
};

/// What a response carries: text of its own, or text that several responses share without copying it.
/// The server remembers the compressed form of shared text, so an answer from memory is compressed once, not per
/// request.
class Body {
  public:
    Body() = default;
    Body(std::string text) : content_(std::move(text)) {}
    Body(const char* text) : content_(std::string(text)) {}
    Body(std::shared_ptr<const std::string> text) : content_(std::move(text)) {}

    std::string_view view() const noexcept;
    bool empty() const noexcept { return view().empty(); }
    /// Null when the text is not shared.
    std::shared_ptr<const std::string> shared() const;

  private:
    std::variant<std::string, std::shared_ptr<const std::string>> content_;
};

/// The server adds the usual headers (Server, Date, …); one that is named here replaces the usual one. Content-Length,
/// Connection and Transfer-Encoding are the server's own and ignored here. 204 and 304 are sent without a body.
/// A response with a stream has that as its body, uncompressed, and is the last of its connection.
struct Response {
    int status = 200;
    std::string content_type = "application/json";  ///< Empty: no Content-Type.
    std::vector<NameValue> headers;
    Body body;
    std::string about;  ///< What the request was about, for whoever watches over the routes; not sent.
    std::shared_ptr<BodyStream> stream = {};
};

/// "Not Found"; "Unknown" for a status that has no phrase.
std::string_view reason_phrase(int status) noexcept;

/// A random UUID (version 4) in text form. It names a request in the log; it is no secret.
std::string make_request_id();

/// The dashboard's error body: {"status":"404 Not Found","detail":"…","request_id":"…"}.
/// @param request_id  Empty: a new one.
/// @source dashboard-contract.md 0.3
Response error_response(int status, std::string_view detail, std::string_view request_id = {});

/// 404 "The path '/x' was not found.", with the path as sent, decoded except for its slashes.
Response not_found_response(const Request& request);

}  // namespace taskd::http
