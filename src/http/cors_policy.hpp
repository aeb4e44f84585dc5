#pragma once

#include "http/message.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace taskd::http {

/// Which other sites' pages may read the answers (CORS), on every answer, errors too: a browser hides from a page what
/// does not say so. Cookies are never shared with them: such a page logs in and sends its token itself.
/// @thread  Any.
/// @source  Fetch standard, "HTTP CORS protocol"
class CorsPolicy {
  public:
    CorsPolicy() = default;
    /// @param origins  As `parse_origin` gives them.
    explicit CorsPolicy(std::vector<std::string> origins) : origins_(std::move(origins)) {}

    /// Reads "https://host" or "http://host:8080"; one "/" may follow.
    /// @throws BadRequest ("origin", …), also on "*"
    static std::string parse_origin(std::string_view text);

    bool is_empty() const noexcept { return origins_.empty(); }

    /// The origin that the request names, if it is one of ours; else empty.
    std::string allowed_origin(const HeaderFields& headers) const;

    /// Whether a browser asks beforehand if a page may send a request. It asks without any token.
    static bool is_preflight(const Request& request);
    /// The answer to that, but for what `allow` adds.
    static Response preflight_answer();

    /// Adds what lets pages of that origin read the answer; of none when it is empty.
    static void allow(const std::string& origin, Response& response);

  private:
    std::vector<std::string> origins_;
};

}  // namespace taskd::http
