#pragma once

#include "http/content_coding.hpp"
#include "http/message.hpp"

#include <ctime>
#include <memory>
#include <string>
#include <string_view>

namespace taskd::http {

/// "Wed, 25 Nov 2026 01:25:21 GMT"; `seconds` since 1970, UTC.
/// @source RFC 9110 5.6.7
std::string http_date(std::time_t seconds);

/// What of the request decides how its response is written.
struct ResponseFor {
    bool is_head = false;       ///< The body is measured but not sent.
    bool accepts_gzip = false;  ///< accepts_gzip of the request's header.
    bool is_http_1_0 = false;   ///< Such a client has to be told that the connection stays.
    bool close = false;         ///< The connection ends after this response.
};

/// The bytes of one response, ready to send: `head`, then `body`, or what `stream` gives.
struct WireResponse {
    std::string head;       ///< Status line and fields, and the body as well when it is small.
    std::string_view body;  ///< Lives in one of the next two.
    Body plain;
    std::shared_ptr<const std::string> encoded;
    std::shared_ptr<BodyStream> stream;  ///< Null: the response is complete.
};

/// A piece of a stream as it goes out: a chunk, unless the client is too old for such. Not empty.
/// @source RFC 9112 7.1
void write_piece(std::string_view piece, bool is_http_1_0, WireResponse& out);
/// What tells the client that a stream has ended; nothing where that is the end of the connection.
void write_last_piece(bool is_http_1_0, WireResponse& out);

/// Writes responses in the dashboard's form, with its headers on each. Not thread-safe: one for each thread.
/// @source dashboard-contract.md 0.5
class ResponseWriter {
  public:
    explicit ResponseWriter(std::string_view server_name);

    /// @param out  Reused: its memory is kept from response to response.
    /// @throws std::invalid_argument for a header with a line break or NUL in it, std::runtime_error from zlib.
    void write(Response response, const ResponseFor& request, WireResponse& out);

  private:
    void add_usual_headers(const Response& response, std::string& head);
    const std::string& date_line();

    std::string server_line_;
    std::string usual_lines_;  // all usual headers but Date
    std::string date_line_;
    std::time_t date_second_ = -1;
    GzipEncoder gzip_;
};

}  // namespace taskd::http
