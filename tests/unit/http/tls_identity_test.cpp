#include "http/tls_identity.hpp"

#include "support/test_certificate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <taskd/error.hpp>

namespace taskd::http {
namespace {

using namespace std::chrono_literals;
using taskd::test::TestCertificate;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TlsPair pair_of(std::string certificate, std::string key) {
    return {{"/x/crt", std::move(certificate)}, {"/x/key", std::move(key)}};
}

TlsPair pair_of(const TestCertificate& made) {
    return pair_of(made.certificate(), made.key());
}

/// What is said of a pair that cannot be used.
std::string refusal(const TlsPair& pair) {
    try {
        const TlsIdentity identity(pair);
    } catch (const BadRequest& error) {
        return error.what();
    }
    return "it is taken";
}

std::vector<std::string> warnings_of(const TestCertificate::Facts& facts) {
    return TlsIdentity(pair_of(TestCertificate(facts))).warnings(std::chrono::system_clock::now());
}

TEST(TlsIdentity, TellsWhoItIs) {
    const TlsIdentity identity(pair_of(TestCertificate{}));

    EXPECT_THAT(identity.description(),
                testing::StartsWith("CN=test for DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, "
                                    "valid until 20"));
    EXPECT_GT(identity.valid_until(), std::chrono::system_clock::now());
    EXPECT_THAT(identity.warnings(std::chrono::system_clock::now()), IsEmpty());
}

TEST(TlsIdentity, TakesAChain) {
    const TestCertificate own;
    const TlsIdentity identity(pair_of(own.certificate() + TestCertificate{}.certificate(), own.key()));

    STACK_OF(X509)* chain = nullptr;
    SSL_CTX_get0_chain_certs(identity.context(), &chain);
    EXPECT_EQ(sk_X509_num(chain), 1);
}

TEST(TlsIdentity, SaysThatAKeyIsOfAnotherCertificate) {
    EXPECT_EQ(refusal(pair_of(TestCertificate{}.certificate(), TestCertificate{}.key())),
              "TLS key: /x/key: does not belong to the certificate /x/crt");
}

TEST(TlsIdentity, SaysThatBothAreExchanged) {
    const TestCertificate made;

    EXPECT_EQ(refusal(pair_of(made.key(), made.certificate())),
              "TLS certificate: /x/crt: holds no certificate, but a private key: are certificate and key exchanged?");
    EXPECT_EQ(refusal(pair_of(made.certificate(), made.certificate())),
              "TLS key: /x/key: holds no private key, but a certificate: are certificate and key exchanged?");
}

TEST(TlsIdentity, SaysThatThereIsNoPem) {
    const TestCertificate made;

    EXPECT_EQ(refusal(pair_of("nonsense", made.key())),
              "TLS certificate: /x/crt: holds no certificate: it is no PEM file");
    EXPECT_EQ(refusal(pair_of(made.certificate(), "nonsense")),
              "TLS key: /x/key: holds no private key: it is no PEM file");
    EXPECT_THAT(refusal(pair_of("-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n", made.key())),
                HasSubstr("/x/crt: the certificate cannot be read: "));
    EXPECT_THAT(refusal(pair_of(made.certificate() + "-----BEGIN CERTIFICATE-----\nnonsense\n", made.key())),
                HasSubstr("/x/crt: the chain cannot be read: "));
}

TEST(TlsIdentity, SaysThatAKeyIsEncrypted) {
    const TestCertificate made;

    EXPECT_EQ(refusal(pair_of(made.certificate(), made.encrypted_key())),
              "TLS key: /x/key: is encrypted with a passphrase, for which nobody could be asked");
}

TEST(TlsIdentity, WarnsOfWhatClientsWillNotTrust) {
    EXPECT_THAT(warnings_of({.ends_in = -60s}),
                ElementsAre(testing::AllOf(testing::StartsWith("TLS certificate /x/crt expired at "),
                                           HasSubstr("clients will refuse it"))));
    EXPECT_THAT(warnings_of({.ends_in = 49h}), ElementsAre(HasSubstr(", in 2 days")));
    EXPECT_THAT(warnings_of({.begins_in = 60s}), ElementsAre(HasSubstr("is not valid before")));
    EXPECT_THAT(warnings_of({.hosts = ""}), ElementsAre(HasSubstr("names no host")));
}

TEST(TlsPair, SaysWhichFileCannotBeRead) {
    try {
        read_tls_pair("/no/such/file.pem", "/no/such/key.pem");
        FAIL();
    } catch (const Error& error) {
        EXPECT_STREQ(error.what(), "read TLS certificate /no/such/file.pem: No such file or directory");
    }
    EXPECT_THROW(read_tls_pair("/", "/"), Error);
    EXPECT_THROW(read_tls_pair("/dev/null", "/dev/null"), BadRequest);
}

}  // namespace
}  // namespace taskd::http
