#include "auth/password.hpp"

#include <gmock/gmock.h>

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

}  // namespace
}  // namespace taskd::auth
