#pragma once

#include "http/tls_handles.hpp"

#include <chrono>
#include <string>

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace taskd::test {

/// A key and a certificate that it signed itself, made on the spot.
class TestCertificate {
  public:
    struct Facts {
        std::string name = "test";                                ///< CN.
        std::string hosts = "DNS:localhost,IP:127.0.0.1,IP:::1";  ///< subjectAltName; empty: none.
        std::chrono::seconds begins_in{-3600};
        std::chrono::seconds ends_in{90 * 24 * 3600};
    };

    TestCertificate() : TestCertificate(Facts()) {}
    explicit TestCertificate(const Facts& facts) : key_(EVP_EC_gen("P-256")), certificate_(X509_new()) {
        X509_set_version(certificate_.get(), 2);
        ASN1_INTEGER_set(X509_get_serialNumber(certificate_.get()), 1);
        X509_gmtime_adj(X509_getm_notBefore(certificate_.get()), facts.begins_in.count());
        X509_gmtime_adj(X509_getm_notAfter(certificate_.get()), facts.ends_in.count());
        auto* subject = X509_get_subject_name(certificate_.get());
        X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                                   reinterpret_cast<const unsigned char*>(facts.name.c_str()), -1, -1, 0);
        X509_set_issuer_name(certificate_.get(), subject);
        if (!facts.hosts.empty()) {
            auto* extension = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, facts.hosts.c_str());
            X509_add_ext(certificate_.get(), extension, -1);
            X509_EXTENSION_free(extension);
        }
        X509_set_pubkey(certificate_.get(), key_.get());
        X509_sign(certificate_.get(), key_.get(), EVP_sha256());
    }

    std::string certificate() const {
        return written([this](BIO* bio) { PEM_write_bio_X509(bio, certificate_.get()); });
    }
    std::string key() const {
        return written(
            [this](BIO* bio) { PEM_write_bio_PrivateKey(bio, key_.get(), nullptr, nullptr, 0, nullptr, nullptr); });
    }
    std::string encrypted_key() const {
        return written([this](BIO* bio) {
            PEM_write_bio_PKCS8PrivateKey(bio, key_.get(), EVP_aes_256_cbc(), "secret", 6, nullptr, nullptr);
        });
    }

  private:
    template <typename Write>
    static std::string written(Write write) {
        const http::Bio bio(BIO_new(BIO_s_mem()));
        write(bio.get());
        char* data = nullptr;
        const auto size = BIO_get_mem_data(bio.get(), &data);
        return {data, static_cast<std::size_t>(size)};
    }

    http::PrivateKey key_;
    http::Certificate certificate_;
};

}  // namespace taskd::test
