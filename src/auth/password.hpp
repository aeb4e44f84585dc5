#pragma once

#include <string>

namespace taskd::auth {

/// Whether this is the password of that hash, in whatever form of crypt(3) the hash is; never for a password with a
/// NUL. Takes as long as the hash was made to take: a quarter of a second of a core for the dashboard's.
/// @thread Any.
bool is_password(const std::string& password, const std::string& hash);

/// A new hash of a password, as the dashboard makes them: bcrypt of cost 12 with a salt of its own. Takes a quarter of
/// a second of a core.
/// @throws BadRequest ("password")  longer than the 72 bytes that bcrypt looks at, or with a NUL
std::string hash_password(const std::string& password);

/// Whether this is a whole hash of bcrypt.
bool is_bcrypt_hash(const std::string& text);

/// A hash of no password that takes as long as the dashboard's: an unknown user is refused as slowly as a wrong
/// password.
const std::string& hash_of_nobody();

}  // namespace taskd::auth
