#include "http/content_coding.hpp"

#include <algorithm>
#include <stdexcept>

#include <zlib.h>

namespace taskd::http {

namespace {

std::string_view trim(std::string_view text) noexcept {
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// Takes the part before `separator` off the front of `rest`, trimmed.
std::string_view take_until(std::string_view& rest, char separator) noexcept {
    const auto piece = rest.substr(0, rest.find(separator));
    rest.remove_prefix(std::min(rest.size(), piece.size() + 1));
    return trim(piece);
}

/// "q=0", "q=0.0", "Q=0.000": refused. Anything else counts as wanted.
bool is_zero_quality(std::string_view parameter) noexcept {
    const auto name = take_until(parameter, '=');
    const auto value = trim(parameter);
    return same_name(name, "q") && value.starts_with('0') && value.find_first_not_of("0.") == std::string_view::npos;
}

}  // namespace

bool accepts_gzip(std::string_view accept_encoding) noexcept {
    bool star = false;
    while (!accept_encoding.empty()) {
        auto element = take_until(accept_encoding, ',');
        const auto coding = take_until(element, ';');
        bool wanted = true;
        while (!element.empty()) wanted = !is_zero_quality(take_until(element, ';')) && wanted;
        if (same_name(coding, "gzip") || same_name(coding, "x-gzip")) return wanted;
        if (coding == "*") star = wanted;
    }
    return star;
}

bool is_compressible(std::string_view content_type) noexcept {
    const auto type = take_until(content_type, ';');
    constexpr std::string_view suffix = "+json";
    if (type.size() > suffix.size() && same_name(type.substr(type.size() - suffix.size()), suffix)) return true;
    for (const std::string_view known :
         {"application/json", "text/html", "text/css", "text/plain", "application/javascript"})
        if (same_name(type, known)) return true;
    return false;
}

// One stream for the life of the encoder: making one allocates 256 KiB.
struct GzipEncoder::Stream : z_stream {
    Stream() : z_stream{} {
        // Level 1: these bodies are made for one reader and thrown away, so time counts for more than the last bytes.
        constexpr int gzip_format = 16;
        if (deflateInit2(this, Z_BEST_SPEED, Z_DEFLATED, MAX_WBITS + gzip_format, 8, Z_DEFAULT_STRATEGY) != Z_OK)
            throw std::runtime_error("zlib: cannot make a compressor");
    }
    ~Stream() { deflateEnd(this); }
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;
};

GzipEncoder::GzipEncoder() = default;
GzipEncoder::~GzipEncoder() = default;

std::shared_ptr<const std::string> GzipEncoder::encode(const Body& body) {
    const auto shared = body.shared();
    if (!shared) return std::make_shared<const std::string>(compress(body.view()));
    for (const auto& entry : remembered_)
        if (entry.encoded && !entry.plain.owner_before(shared) && !shared.owner_before(entry.plain))
            return entry.encoded;
    auto& slot = remembered_[next_slot_];
    next_slot_ = (next_slot_ + 1) % remembered_.size();
    slot = {shared, std::make_shared<const std::string>(compress(*shared))};
    return slot.encoded;
}

std::string GzipEncoder::compress(std::string_view text) {
    if (!stream_) stream_ = std::make_unique<Stream>();
    if (deflateReset(stream_.get()) != Z_OK) throw std::runtime_error("zlib: cannot reset a compressor");
    std::string encoded(deflateBound(stream_.get(), static_cast<uLong>(text.size())), '\0');
    stream_->next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));  // zlib only reads it
    stream_->avail_in = static_cast<uInt>(text.size());
    stream_->next_out = reinterpret_cast<Bytef*>(encoded.data());
    stream_->avail_out = static_cast<uInt>(encoded.size());
    if (deflate(stream_.get(), Z_FINISH) != Z_STREAM_END) throw std::runtime_error("zlib: cannot compress");
    encoded.resize(encoded.size() - stream_->avail_out);
    encoded.shrink_to_fit();
    return encoded;
}

}  // namespace taskd::http
