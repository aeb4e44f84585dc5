#include "auth/token.hpp"

#include <gmock/gmock.h>
#include <taskd/error.hpp>

namespace taskd::auth {
namespace {

using ::testing::Optional;

const std::string secret = "YWJjZGVmZ2hpamtsbW5vcA==";

/// Made by PyJWT, as the dashboard makes them, with the secret above: HS256, {"iss": "ceph-dashboard", "jti": "one",
/// "exp": 2000, "iat": 1000, "username": "admin"}.
const std::string of_the_dashboard =
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
    "eyJpc3MiOiJjZXBoLWRhc2hib2FyZCIsImp0aSI6Im9uZSIsImV4cCI6MjAwMCwiaWF0IjoxMDAwLCJ1c2VybmFtZSI6ImFkbWluIn0."
    "ZweujHLeWt7lbtjlXtI32hcrgleUjiQ1diSWdbpR8Sw";

Token token() {
    return {"one", "admin", 1000, 2000};
}

TEST(Token, OfTheDashboardIsUnderstood) {
    const auto read = verify(of_the_dashboard, secret);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->id, "one");
    EXPECT_EQ(read->username, "admin");
    EXPECT_EQ(read->issued_at, 1000);
    EXPECT_THAT(read->expires_at, Optional(2000));
}

TEST(Token, ComesBackAsItWasSigned) {
    const auto read = verify(sign(token(), secret), secret);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->id, "one");
    EXPECT_THAT(read->expires_at, Optional(2000));
}

TEST(Token, NeedNotExpire) {
    auto lasting = token();
    lasting.expires_at.reset();
    const auto read = verify(sign(lasting, secret), secret);
    ASSERT_TRUE(read);
    EXPECT_FALSE(read->expires_at);
}

TEST(Token, OfAnotherSecretIsRefused) {
    EXPECT_FALSE(verify(sign(token(), "another"), secret));
    EXPECT_FALSE(verify(of_the_dashboard, ""));
}

TEST(Token, ThatWasTamperedWithIsRefused) {
    for (std::size_t at = 0; at < of_the_dashboard.size(); ++at) {
        auto forged = of_the_dashboard;
        forged[at] = forged[at] == 'A' ? 'B' : 'A';
        // The last digit of base64 has two bits that mean nothing.
        if (at + 1 == of_the_dashboard.size()) continue;
        EXPECT_FALSE(verify(forged, secret)) << at;
    }
}

TEST(Token, WithoutSignatureIsRefused) {
    EXPECT_FALSE(verify(
        "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0."
        "eyJpc3MiOiJjZXBoLWRhc2hib2FyZCIsImp0aSI6Im9uZSIsImV4cCI6MjAwMCwiaWF0IjoxMDAwLCJ1c2VybmFtZSI6ImFkbWluIn0.",
        secret));
    EXPECT_FALSE(verify(of_the_dashboard.substr(0, of_the_dashboard.rfind('.') + 1), secret));
    EXPECT_FALSE(verify(of_the_dashboard.substr(0, of_the_dashboard.rfind('.')), secret));
}

TEST(Token, OfAnotherAlgorithmIsRefused) {
    EXPECT_FALSE(verify(
        "eyJhbGciOiJIUzUxMiIsInR5cCI6IkpXVCJ9."
        "eyJpc3MiOiJjZXBoLWRhc2hib2FyZCIsImp0aSI6Im9uZSIsImV4cCI6MjAwMCwiaWF0IjoxMDAwLCJ1c2VybmFtZSI6ImFkbWluIn0."
        "XK2CQXZgCwUnZ1P7y70UatVxjvH-uv94XnWxWKr9tnMTpdXq6VKuOKHQyKq5GGzKtqLZvqcXH71aj2d3UYAafQ",
        secret));
}

TEST(Token, WithoutIdUserOrTimeIsRefused) {
    EXPECT_FALSE(
        verify("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
               "eyJpc3MiOiJjZXBoLWRhc2hib2FyZCIsImV4cCI6MjAwMCwiaWF0IjoxMDAwLCJ1c2VybmFtZSI6ImFkbWluIn0."
               "QRYMzeN0zhqgFkQE8YDglw9iTMKvyUr7olhpia7nYxE",
               secret));
    EXPECT_FALSE(
        verify("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
               "eyJpc3MiOiJjZXBoLWRhc2hib2FyZCIsImp0aSI6Im9uZSIsImV4cCI6MjAwMCwiaWF0IjoxMDAwfQ."
               "t0lqcp8AEDEuN3jtgkm4yUK6OdFK5BMDMLlIHcbYDto",
               secret));
    EXPECT_FALSE(
        verify("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
               "eyJpc3MiOiJjZXBoLWRhc2hib2FyZCIsImp0aSI6Im9uZSIsImV4cCI6MjAwMCwidXNlcm5hbWUiOiJhZG1pbiJ9."
               "iHDGoXpM46VpGFhOi8yaq9MEYSXuRU1e3yXajDTLxgs",
               secret));
    EXPECT_FALSE(verify(
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
        "eyJpc3MiOiJjZXBoLWRhc2hib2FyZCIsImp0aSI6Im9uZSIsImV4cCI6MjAwMCwiaWF0IjoiMTAwMCIsInVzZXJuYW1lIjoiYWRtaW4ifQ."
        "YGjnD_zqRhIcMtD7ozpCf_rDUxUC-FZntpkJXE0Zku0",
        secret));
}

TEST(Token, ThatIsNoneIsRefused) {
    for (const std::string text : {"", ".", "..", "...", "a.b.c", "garbage", "e30.e30.e30"})
        EXPECT_FALSE(verify(text, secret)) << text;
    EXPECT_FALSE(verify(of_the_dashboard + '\0' + "x", secret));
    EXPECT_FALSE(verify(std::string(100'000, 'A'), secret));
}

TEST(Token, IsNotSignedWithoutSecret) {
    EXPECT_THROW(sign(token(), ""), Error);
}

}  // namespace
}  // namespace taskd::auth
