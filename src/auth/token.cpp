#include "auth/token.hpp"

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <memory>

#include <jwt.h>
#include <nlohmann/json.hpp>
#include <taskd/error.hpp>

namespace taskd::auth {
namespace {

using nlohmann::json;

struct Free {
    void operator()(jwt_t* token) const noexcept { jwt_free(token); }
    void operator()(char* text) const noexcept { std::free(text); }
};
using Jwt = std::unique_ptr<jwt_t, Free>;
using Text = std::unique_ptr<char, Free>;

const unsigned char* key_of(const std::string& secret) {
    return reinterpret_cast<const unsigned char*>(secret.data());
}

Error cannot_sign(int code) {
    return {ErrorKind::internal, code, "auth", "cannot make a token"};
}

}  // namespace

std::int64_t numeric_date_now() {
    return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

std::string sign(const Token& token, const std::string& secret) {
    jwt_t* raw = nullptr;
    if (const int rc = jwt_new(&raw)) throw cannot_sign(rc);
    const Jwt jwt(raw);
    json claims{{"iss", "ceph-dashboard"}, {"jti", token.id}, {"iat", token.issued_at}, {"username", token.username}};
    if (token.expires_at) claims["exp"] = *token.expires_at;
    if (secret.empty()) throw cannot_sign(ENOKEY);
    if (const int rc = jwt_set_alg(jwt.get(), JWT_ALG_HS256, key_of(secret), static_cast<int>(secret.size())))
        throw cannot_sign(rc);
    if (const int rc = jwt_add_grants_json(jwt.get(), claims.dump().c_str())) throw cannot_sign(rc);
    const Text text(jwt_encode_str(jwt.get()));
    if (!text) throw cannot_sign(errno);
    return text.get();
}

std::optional<Token> verify(const std::string& text, const std::string& secret) {
    if (secret.empty() || text.find('\0') != std::string::npos) return std::nullopt;
    jwt_t* raw = nullptr;
    // Without a key it would take unsigned tokens; with one it takes every algorithm that the key may be of.
    if (jwt_decode(&raw, text.c_str(), key_of(secret), static_cast<int>(secret.size())) != 0) return std::nullopt;
    const Jwt jwt(raw);
    if (jwt_get_alg(jwt.get()) != JWT_ALG_HS256) return std::nullopt;
    const Text claims_text(jwt_get_grants_json(jwt.get(), nullptr));
    if (!claims_text) return std::nullopt;
    const auto claims = json::parse(claims_text.get(), nullptr, false);
    const auto has = [&claims](const char* name, bool (json::*is)() const noexcept) {
        const auto found = claims.find(name);
        return found != claims.end() && ((*found).*is)();
    };
    if (!claims.is_object() || !has("jti", &json::is_string) || !has("username", &json::is_string) ||
        !has("iat", &json::is_number_integer))
        return std::nullopt;
    Token token{claims["jti"], claims["username"], claims["iat"], std::nullopt};
    if (claims.contains("exp")) {
        if (!has("exp", &json::is_number_integer)) return std::nullopt;
        token.expires_at = claims["exp"].get<std::int64_t>();
    }
    return token;
}

}  // namespace taskd::auth
