#include "http/request_reader.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include <boost/beast/http/basic_parser.hpp>

namespace taskd::http {

namespace {

namespace beast = boost::beast;
using boost::beast::http::field;

std::string_view as_std(beast::string_view text) noexcept {
    return {text.data(), text.size()};
}

/// Beast's state machine, writing into a Request instead of a Beast message: no allocation for each field.
class Parser final : public beast::http::basic_parser<true> {
  public:
    explicit Parser(Request& request) : request_(request) {}

    bool has_host() const noexcept { return has_host_; }
    bool has_length() const noexcept { return has_length_; }
    bool has_transfer_encoding() const noexcept { return has_transfer_encoding_; }
    bool expects_continue() const noexcept { return expects_continue_; }
    bool is_http_1_0() const noexcept { return version_ == 10; }

  private:
    using Error = beast::error_code;

    void on_request_impl(beast::http::verb, beast::string_view method, beast::string_view target, int version,
                         Error&) override {
        request_.method.assign(method.data(), method.size());
        request_.target.assign(target.data(), target.size());
        version_ = version;
    }
    void on_response_impl(int, beast::string_view, int, Error&) override {}
    void on_field_impl(field name, beast::string_view name_text, beast::string_view value, Error&) override {
        if (is_header_done_) return;  // a trailer: nobody asked for it
        request_.headers.add(as_std(name_text), as_std(value));
        has_host_ = has_host_ || name == field::host;
        has_length_ = has_length_ || name == field::content_length;
        has_transfer_encoding_ = has_transfer_encoding_ || name == field::transfer_encoding;
        if (name == field::expect) expects_continue_ = same_name(as_std(value), "100-continue");
    }
    void on_header_impl(Error&) override { is_header_done_ = true; }
    void on_body_init_impl(const boost::optional<std::uint64_t>&, Error&) override {}
    std::size_t on_body_impl(beast::string_view bytes, Error&) override {
        request_.body.append(bytes.data(), bytes.size());
        return bytes.size();
    }
    void on_chunk_header_impl(std::uint64_t, beast::string_view, Error&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view bytes, Error& error) override {
        return on_body_impl(bytes, error);
    }
    void on_finish_impl(Error&) override {}

    Request& request_;
    int version_ = 11;
    bool has_host_ = false;
    bool has_length_ = false;
    bool has_transfer_encoding_ = false;
    bool expects_continue_ = false;
    bool is_header_done_ = false;
};

bool needs_length(std::string_view method) noexcept {
    return method == "POST" || method == "PUT" || method == "PATCH";
}

struct Refusal {
    int status;
    std::string detail;
};

Refusal refusal_of(const beast::error_code& code, const ReadLimits& limits) {
    using beast::http::error;
    if (code == error::header_limit)
        return {431, "The request's header is larger than " + std::to_string(limits.header_bytes) + " bytes"};
    if (code == error::body_limit)
        return {413, "The request's body is larger than " + std::to_string(limits.body_bytes) + " bytes"};
    if (code == error::bad_version) return {505, "Only HTTP/1.0 and HTTP/1.1 are spoken here"};
    return {400, "Malformed request: " + code.message()};
}

}  // namespace

struct RequestReader::Impl {
    explicit Impl(const ReadLimits& read_limits) : limits(read_limits) {}

    ReadLimits limits;
    std::vector<char> buffer;
    std::size_t begin = 0;  // of what is not parsed yet
    std::size_t end = 0;
    std::size_t header_read = 0;  // bytes of the current header that the parser has taken
    std::optional<Parser> parser;
    bool continued = false;
    std::optional<Refusal> refusal;

    std::size_t max_buffer() const noexcept { return std::max<std::size_t>(limits.header_bytes + 1024, 16 * 1024); }
    bool in_header() const noexcept { return !parser || !parser->is_header_done(); }

    void skip_empty_lines() noexcept;
    std::optional<Refusal> refused_header(const Request& request) const;
    Step refuse(Refusal why);
};

// RFC 9112 2.2: some clients send a line break behind a body.
void RequestReader::Impl::skip_empty_lines() noexcept {
    while (end - begin >= 2 && buffer[begin] == '\r' && buffer[begin + 1] == '\n') begin += 2;
}

std::optional<Refusal> RequestReader::Impl::refused_header(const Request& request) const {
    if (!parser->is_http_1_0() && !parser->has_host())
        return Refusal{400, "Malformed request: HTTP/1.1 requires a 'Host' header"};
    // Without the framing that we know, the body would be taken for the next request.
    if (parser->has_transfer_encoding() && !parser->chunked())
        return Refusal{501, "The only transfer coding that is understood is chunked"};
    if (needs_length(request.method) && !parser->has_length() && !parser->chunked())
        return Refusal{411, "Client must specify Content-Length"};
    return std::nullopt;
}

RequestReader::Step RequestReader::Impl::refuse(Refusal why) {
    refusal = std::move(why);
    return Step::refused;
}

RequestReader::RequestReader(const ReadLimits& limits) : impl_(std::make_unique<Impl>(limits)) {}
RequestReader::~RequestReader() = default;

std::span<char> RequestReader::free_space() {
    auto& self = *impl_;
    constexpr std::size_t first_size = 4096;
    if (self.begin == self.end) self.begin = self.end = 0;
    if (self.end == self.buffer.size() && self.begin > 0) {
        std::memmove(self.buffer.data(), self.buffer.data() + self.begin, self.end - self.begin);
        self.end -= std::exchange(self.begin, 0);
    }
    if (self.end == self.buffer.size() && self.buffer.size() < self.max_buffer())
        self.buffer.resize(std::min(self.max_buffer(), std::max(first_size, self.buffer.size() * 2)));
    return {self.buffer.data() + self.end, self.buffer.size() - self.end};
}

void RequestReader::commit(std::size_t bytes) {
    impl_->end += bytes;
}

RequestReader::Step RequestReader::advance(Request& request) {
    auto& self = *impl_;
    if (!self.parser) {
        self.skip_empty_lines();
        if (self.begin == self.end) return Step::read_more;
        request.clear();
        self.parser.emplace(request);
        self.parser->header_limit(static_cast<std::uint32_t>(self.limits.header_bytes));
        self.parser->body_limit(self.limits.body_bytes);
        self.parser->eager(false);  // stop behind the header: it is looked at before its body is read
    }
    auto& parser = *self.parser;
    while (!parser.is_done() && self.begin < self.end) {
        const bool was_in_header = self.in_header();
        beast::error_code error;
        const auto taken = parser.put({self.buffer.data() + self.begin, self.end - self.begin}, error);
        self.begin += taken;
        if (was_in_header) {
            // Beast bounds what it is given at once, not what it is given line by line.
            self.header_read += taken;
            if (self.header_read > self.limits.header_bytes) error = beast::http::error::header_limit;
        }
        if (error == beast::http::error::need_more) {
            if (self.end - self.begin < self.max_buffer()) break;
            error = was_in_header ? beast::http::error::header_limit : beast::http::error::bad_chunk;
        }
        if (error) return self.refuse(refusal_of(error, self.limits));
        if (was_in_header && parser.is_header_done()) {
            if (auto why = self.refused_header(request)) return self.refuse(std::move(*why));
            parser.eager(true);
        }
    }
    if (parser.is_done()) return Step::complete;
    if (!self.in_header() && parser.expects_continue() && !std::exchange(self.continued, true) &&
        !parser.is_http_1_0() && request.body.empty())
        return Step::send_continue;
    return Step::read_more;
}

RequestReader::Phase RequestReader::phase() const noexcept {
    if (!impl_->parser && impl_->begin == impl_->end) return Phase::idle;
    return impl_->in_header() ? Phase::header : Phase::body;
}

bool RequestReader::keep_alive() const noexcept {
    return !impl_->in_header() && impl_->parser->keep_alive();
}
bool RequestReader::is_http_1_0() const noexcept {
    return impl_->parser && impl_->parser->is_http_1_0();
}

Response RequestReader::refusal() const {
    const auto& why = impl_->refusal;
    return why ? error_response(why->status, why->detail) : error_response(400, "Malformed request");
}

void RequestReader::next() {
    impl_->parser.reset();
    impl_->header_read = 0;
    impl_->continued = false;
}

}  // namespace taskd::http
