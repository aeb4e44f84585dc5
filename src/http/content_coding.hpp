#pragma once

#include "http/message.hpp"

#include <array>
#include <memory>
#include <string>
#include <string_view>

namespace taskd::http {

/// Whether an Accept-Encoding value lets a response be gzip: named with q > 0, or covered by "*" and not named.
/// @source RFC 9110 12.5.3
bool accepts_gzip(std::string_view accept_encoding) noexcept;

/// Whether responses of that type are compressed: JSON (any "+json" included), HTML, plain text,
/// application/javascript.
/// @source dashboard-contract.md 0.5
bool is_compressible(std::string_view content_type) noexcept;

/// Compresses bodies and remembers the result for the last few shared ones: a polled listing is the same text for
/// every poller until it changes. Not thread-safe: one for each thread.
class GzipEncoder {
  public:
    GzipEncoder();
    ~GzipEncoder();
    GzipEncoder(const GzipEncoder&) = delete;
    GzipEncoder& operator=(const GzipEncoder&) = delete;

    /// @throws std::runtime_error when zlib fails (no memory).
    std::shared_ptr<const std::string> encode(const Body& body);

  private:
    struct Stream;
    struct Remembered {
        std::weak_ptr<const std::string> plain;
        std::shared_ptr<const std::string> encoded;
    };

    std::string compress(std::string_view text);

    std::unique_ptr<Stream> stream_;
    std::array<Remembered, 8> remembered_;
    std::size_t next_slot_ = 0;
};

}  // namespace taskd::http
