#include "auth/password.hpp"

#include <cstddef>
#include <cstring>
#include <memory>

#include <crypt.h>

namespace taskd::auth {
namespace {

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

const std::string& hash_of_nobody() {
    static const std::string hash = "$2b$12$abcdefghijklmnopqrstuu5Lo0g67CiD3M4RpN1BmBb4Crp5w7dbK";
    return hash;
}

}  // namespace taskd::auth
