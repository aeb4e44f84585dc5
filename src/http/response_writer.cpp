#include "http/response_writer.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <stdexcept>

namespace taskd::http {

namespace {

// A body up to this size is copied behind its head: one buffer is cheaper to send than two.
constexpr std::size_t small_body_bytes = 8192;

constexpr std::array<std::string_view, 4> fixed_lines{
    "Content-Security-Policy: frame-ancestors 'self';\r\n",
    "X-Content-Type-Options: nosniff\r\n",
    "Strict-Transport-Security: max-age=63072000; includeSubDomains; preload\r\n",
    "Vary: Accept-Encoding\r\n",
};

std::string_view name_of(std::string_view line) noexcept {
    return line.substr(0, line.find(':'));
}

bool has_header(const Response& response, std::string_view name) noexcept {
    return std::any_of(response.headers.begin(), response.headers.end(),
                       [name](const NameValue& header) { return same_name(header.first, name); });
}

bool is_owned_by_server(std::string_view name) noexcept {
    return same_name(name, "Content-Length") || same_name(name, "Connection") || same_name(name, "Transfer-Encoding");
}

void append_hexadecimal(std::string& text, std::size_t number) {
    std::array<char, 16> digits{};
    const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), number, 16);
    text.append(digits.data(), end);
}

void append_number(std::string& text, std::size_t number) {
    std::array<char, 20> digits{};
    const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), number);
    text.append(digits.data(), end);
}

/// @throws std::invalid_argument when it would let a value end the header and begin something of its own.
void append_header(std::string& head, std::string_view name, std::string_view value) {
    constexpr std::string_view forbidden("\r\n\0", 3);
    if (name.find_first_of(forbidden) != std::string_view::npos ||
        value.find_first_of(forbidden) != std::string_view::npos)
        throw std::invalid_argument("a response header holds a line break or NUL: '" + std::string(name) + "'");
    head.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace

std::string http_date(std::time_t seconds) {
    constexpr std::array<const char*, 7> days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    constexpr std::array<const char*, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    std::tm utc{};
    gmtime_r(&seconds, &utc);
    std::array<char, 64> text{};  // not strftime: its names follow the locale
    std::snprintf(text.data(), text.size(), "%s, %02d %s %04d %02d:%02d:%02d GMT",
                  days[static_cast<std::size_t>(utc.tm_wday)], utc.tm_mday,
                  months[static_cast<std::size_t>(utc.tm_mon)], utc.tm_year + 1900, utc.tm_hour, utc.tm_min,
                  utc.tm_sec);
    return text.data();
}

ResponseWriter::ResponseWriter(std::string_view server_name) {
    append_header(server_line_, "Server", server_name);
    usual_lines_.append(server_line_);
    for (const auto line : fixed_lines) usual_lines_.append(line);
}

const std::string& ResponseWriter::date_line() {
    const auto now = std::time(nullptr);
    if (now != date_second_) {
        date_second_ = now;
        date_line_ = "Date: " + http_date(now) + "\r\n";
    }
    return date_line_;
}

void ResponseWriter::add_usual_headers(const Response& response, std::string& head) {
    if (response.headers.empty()) {
        head.append(usual_lines_).append(date_line());
        return;
    }
    if (!has_header(response, "Server")) head.append(server_line_);
    for (const auto line : fixed_lines)
        if (!has_header(response, name_of(line))) head.append(line);
    if (!has_header(response, "Date")) head.append(date_line());
}

void ResponseWriter::write(Response response, const ResponseFor& request, WireResponse& out) {
    const bool has_body = response.status != 204 && response.status != 304;
    const bool is_stream = has_body && response.stream;
    out.stream = is_stream && !request.is_head ? std::move(response.stream) : nullptr;
    // Errors are short, and clients that cannot read an answer should be able to read why.
    const bool is_error = response.status >= 400;
    const bool gzip = has_body && !is_stream && !is_error && request.accepts_gzip && !response.body.empty() &&
                      is_compressible(response.content_type) && !has_header(response, "Content-Encoding");
    out.encoded = gzip ? gzip_.encode(response.body) : nullptr;
    out.plain = std::move(response.body);
    out.body = !has_body || is_stream ? std::string_view{} : gzip ? std::string_view(*out.encoded) : out.plain.view();

    auto& head = out.head;
    head.assign("HTTP/1.1 ");
    append_number(head, static_cast<std::size_t>(response.status));
    head.append(" ").append(reason_phrase(response.status)).append("\r\n");
    if (has_body && !response.content_type.empty() && !has_header(response, "Content-Type"))
        append_header(head, "Content-Type", response.content_type);
    add_usual_headers(response, head);
    for (const auto& [name, value] : response.headers)
        if (!is_owned_by_server(name)) append_header(head, name, value);
    if (gzip) head.append("Content-Encoding: gzip\r\n");
    if (is_stream) {
        if (!request.is_http_1_0) head.append("Transfer-Encoding: chunked\r\n");
    } else if (has_body) {
        head.append("Content-Length: ");
        append_number(head, out.body.size());
        head.append("\r\n");
    }
    if (request.close || is_stream)
        head.append("Connection: close\r\n");
    else if (request.is_http_1_0)
        head.append("Connection: keep-alive\r\n");
    head.append("\r\n");

    if (request.is_head) out.body = {};
    if (out.body.size() <= small_body_bytes) {
        head.append(out.body);
        out.body = {};
    }
}

void write_piece(std::string_view piece, bool is_http_1_0, WireResponse& out) {
    out.head.clear();
    out.body = {};
    if (is_http_1_0) {
        out.head.append(piece);
        return;
    }
    append_hexadecimal(out.head, piece.size());
    out.head.append("\r\n").append(piece).append("\r\n");
}

void write_last_piece(bool is_http_1_0, WireResponse& out) {
    out.head.assign(is_http_1_0 ? "" : "0\r\n\r\n");
    out.body = {};
}

}  // namespace taskd::http
