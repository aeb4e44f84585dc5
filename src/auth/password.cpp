#include "auth/password.hpp"

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>

#include <crypt.h>
#include <taskd/error.hpp>

namespace taskd::auth {
namespace {

constexpr unsigned long cost = 12;      // the dashboard's
constexpr std::size_t most_bytes = 72;  // bcrypt leaves off the rest without a word

/// Takes the same time wherever they differ.
bool are_equal(const std::string& left, const char* right) {
    if (left.size() != std::strlen(right)) return false;
    unsigned difference = 0;
    for (std::size_t i = 0; i < left.size(); ++i) difference |= static_cast<unsigned>(left[i] ^ right[i]);
    return difference == 0;
}

}  // namespace

bool is_password(const std::string& password, const std::string& hash) {
    if (hash.empty() || password.find('\0') != std::string::npos || hash.find('\0') != std::string::npos) return false;
    const auto data = std::make_unique<crypt_data>();  // 32 KiB
    const char* made = crypt_r(password.c_str(), hash.c_str(), data.get());
    const bool is_equal = made != nullptr && made[0] != '*' && are_equal(hash, made);
    explicit_bzero(data.get(), sizeof(crypt_data));
    return is_equal;
}

std::string hash_password(const std::string& password) {
    if (password.size() > most_bytes)
        throw BadRequest("password",
                         "longer than " + std::to_string(most_bytes) + " bytes: bcrypt leaves off the rest");
    if (password.find('\0') != std::string::npos) throw BadRequest("password", "holds a NUL");
    std::array<char, CRYPT_GENSALT_OUTPUT_SIZE> salt{};
    if (crypt_gensalt_rn("$2b$", cost, nullptr, 0, salt.data(), static_cast<int>(salt.size())) == nullptr)
        throw Error(ErrorKind::internal, errno, "auth", "cannot make the salt of a password");
    const auto data = std::make_unique<crypt_data>();
    const char* made = crypt_r(password.c_str(), salt.data(), data.get());
    std::string hash = made == nullptr ? "" : made;
    explicit_bzero(data.get(), sizeof(crypt_data));
    if (!is_bcrypt_hash(hash)) throw Error(ErrorKind::internal, EINVAL, "auth", "cannot hash a password");
    return hash;
}

bool is_bcrypt_hash(const std::string& text) {
    constexpr std::string_view alphabet = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    constexpr std::size_t length = 60;
    if (text.size() != length || !text.starts_with("$2") || text[3] != '$' || text[6] != '$') return false;
    if (std::string_view("abxy").find(text[2]) == std::string_view::npos) return false;
    const std::string rounds = text.substr(4, 2);
    if (rounds < "04" || rounds > "31" || rounds.find_first_not_of("0123456789") != std::string::npos) return false;
    return text.find_first_not_of(alphabet, 7) == std::string::npos;
}

const std::string& hash_of_nobody() {
    static const std::string hash = "$2b$12$abcdefghijklmnopqrstuu5Lo0g67CiD3M4RpN1BmBb4Crp5w7dbK";
    return hash;
}

}  // namespace taskd::auth
