#include "auth/token.hpp"
#include "fuzz/fuzzer.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <taskd/error.hpp>

/// A token; or its header in the first line and its claims in the rest, which are signed here; or a user's name.
namespace taskd::fuzz {
namespace {

using nlohmann::json;

const std::string secret = "the fuzzer's secret";

std::string base64url(std::string_view bytes) {
    std::string text(4 * (bytes.size() / 3 + 1) + 1, '\0');
    const int length =
        EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                        reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
    text.resize(static_cast<std::size_t>(length));
    while (text.ends_with('=')) text.pop_back();
    for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
    return text;
}

std::string signature_of(std::string_view signed_part) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned length = 0;
    HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
         reinterpret_cast<const unsigned char*>(signed_part.data()), signed_part.size(), digest.data(), &length);
    return base64url({reinterpret_cast<const char*>(digest.data()), length});
}

bool same(const auth::Token& left, const auth::Token& right) {
    return left.id == right.id && left.username == right.username && left.issued_at == right.issued_at &&
           left.expires_at == right.expires_at;
}

/// What nobody signed is nobody's, whatever it says.
void try_forgery(const std::string& text) {
    const auto token = auth::verify(text, secret);
    if (!token) return;
    const auto dot = text.rfind('.');
    require(dot != std::string::npos, "a token has three parts");
    const auto signature = signature_of(text.substr(0, dot));
    // The last digit has two bits that mean nothing.
    require(text.substr(dot + 1).starts_with(signature.substr(0, signature.size() - 1)),
            "a token that is taken is signed");
    const auto again = auth::verify(auth::sign(*token, secret), secret);
    require(again && same(*again, *token), "a token that was signed again says the same");
}

/// libjwt reads the name in any case, which RFC 7515 does not; who can sign has the secret either way.
bool is_the_algorithm(const json& name) {
    if (!name.is_string()) return false;
    auto text = name.get<std::string>();
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::toupper(c); });
    return text == "HS256";
}

void try_claims(std::string_view header, std::string_view claims_text) {
    const auto signed_part = base64url(header) + '.' + base64url(claims_text);
    const auto token = auth::verify(signed_part + '.' + signature_of(signed_part), secret);
    if (!token) return;
    const auto kind = json::parse(header, nullptr, false);
    require(kind.is_object() && is_the_algorithm(kind.value("alg", json())), "only one algorithm is taken");
    const auto claims = json::parse(claims_text, nullptr, false);
    require(claims.is_object() && claims.value("jti", json()) == token->id &&
                claims.value("username", json()) == token->username && claims.value("iat", json()) == token->issued_at,
            "a token says what was signed");
    require(claims.contains("exp") == token->expires_at.has_value(), "a time of expiry is not lost");
}

void try_signing(const std::string& username) {
    const auth::Token token{"id", username, 1000, 2000};
    std::string text;
    try {
        text = auth::sign(token, secret);
    } catch (const Error&) {
        return;  // of a name with a NUL
    }
    const auto read = auth::verify(text, secret);
    require(read && same(*read, token), "a token comes back as it was signed");
}

}  // namespace

void try_input(std::string_view input) {
    try_forgery(std::string(input));
    const auto [header, claims] = first_line(input);
    try_claims(header, claims);
    if (const auto name = json_of(input); name && name->is_string()) try_signing(name->get<std::string>());
}

}  // namespace taskd::fuzz
