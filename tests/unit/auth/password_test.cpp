#include "auth/password.hpp"

#include <gmock/gmock.h>
#include <taskd/error.hpp>

namespace taskd::auth {
namespace {

// Made by Python's bcrypt, which the dashboard uses, at the least cost it takes.
const std::string of_secret = "$2b$04$VCRqgjeQAMs7nL34rgjnau5gpZjyXmayVFgMfLXRC4mOFGEeLRPXC";
const std::string of_umlauts = "$2b$04$kXTayTX2SVe0seV03lW1Zu4WHBNefCUpNjni44NkheqHHP9eibKjy";

TEST(Password, OfTheDashboardIsUnderstood) {
    EXPECT_TRUE(is_password("secret", of_secret));
    EXPECT_TRUE(is_password("p\xc3\xa4ssw\xc3\xb6rd", of_umlauts));
}

TEST(Password, AnotherIsRefused) {
    EXPECT_FALSE(is_password("Secret", of_secret));
    EXPECT_FALSE(is_password("", of_secret));
    EXPECT_FALSE(is_password("secret ", of_secret));
}

TEST(Password, IsNotCutAtANul) {
    EXPECT_FALSE(is_password(std::string("secret\0more", 11), of_secret));
}

TEST(Password, FitsNoHashThatIsNone) {
    for (const std::string hash : {"", "*", "*0", "secret", "$2b$", "$9$x"})
        EXPECT_FALSE(is_password("secret", hash)) << hash;
    EXPECT_FALSE(is_password("*0", "*0"));
}

TEST(Password, OfNobodyHasAHashThatCanBeTaken) {
    EXPECT_TRUE(hash_of_nobody().starts_with("$2b$12$"));
    EXPECT_EQ(hash_of_nobody().size(), 60U);
    EXPECT_FALSE(is_password("secret", hash_of_nobody()));
}

TEST(Password, IsHashedAsTheDashboardDoesWithASaltOfItsOwn) {
    const auto hash = hash_password("p\xc3\xa4ssw\xc3\xb6rd");
    EXPECT_TRUE(hash.starts_with("$2b$12$")) << hash;
    EXPECT_TRUE(is_bcrypt_hash(hash));
    EXPECT_TRUE(is_password("p\xc3\xa4ssw\xc3\xb6rd", hash));
    EXPECT_NE(hash.substr(0, 29), hash_password("x").substr(0, 29)) << "the salt";
}

TEST(Password, ThatBcryptWouldCutIsRefused) {
    EXPECT_THROW(hash_password(std::string(73, 'x')), BadRequest);
    EXPECT_THROW(hash_password(std::string("a\0b", 3)), BadRequest);
}

TEST(Password, OnlyAWholeHashOfBcryptIsOne) {
    EXPECT_TRUE(is_bcrypt_hash(of_secret));
    for (const auto& text :
         {std::string(), std::string("secret"), of_secret.substr(0, 59), of_secret + "x",
          "$6$abcdefgh$" + std::string(48, 'x'), "$2b$99$" + of_secret.substr(7), "$2b$0x$" + of_secret.substr(7),
          "$2z" + of_secret.substr(3), of_secret.substr(0, 59) + "="})
        EXPECT_FALSE(is_bcrypt_hash(text)) << text;
}

}  // namespace
}  // namespace taskd::auth
