#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace taskd::auth {

/// Now, as tokens tell times: whole seconds since the epoch.
/// @source RFC 7519, NumericDate
std::int64_t numeric_date_now();

/// What a login token says: a JWT that is signed with HMAC-SHA256 and the cluster's secret.
/// @source dashboard-contract.md 1.3
struct Token {
    std::string id;  ///< By which it is revoked.
    std::string username;
    std::int64_t issued_at = 0;              ///< Seconds since the epoch.
    std::optional<std::int64_t> expires_at;  ///< The dashboard takes tokens without as well.
};

/// @throws Error  the secret is empty
std::string sign(const Token& token, const std::string& secret);

/// None unless it is well-formed, signed with this secret and by this algorithm, and names all of the above.
/// Whether it has expired is for the caller to see.
/// @thread Any.
std::optional<Token> verify(const std::string& text, const std::string& secret);

}  // namespace taskd::auth
