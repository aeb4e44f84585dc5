#pragma once

#include <memory>
#include <string>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

namespace taskd::http {

/// Named deleters of OpenSSL's handles.
struct BioFree {
    void operator()(BIO* bio) const noexcept { BIO_free(bio); }
};
struct KeyFree {
    void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
};
struct CertificateFree {
    void operator()(X509* certificate) const noexcept { X509_free(certificate); }
};
struct TlsContextFree {
    void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
};
struct TlsConnectionFree {
    void operator()(SSL* connection) const noexcept { SSL_free(connection); }
};

using Bio = std::unique_ptr<BIO, BioFree>;
using PrivateKey = std::unique_ptr<EVP_PKEY, KeyFree>;
using Certificate = std::unique_ptr<X509, CertificateFree>;
using TlsContext = std::unique_ptr<SSL_CTX, TlsContextFree>;
using TlsConnection = std::unique_ptr<SSL, TlsConnectionFree>;

/// A context of TLS 1.2 and later, with what both sides of ours want of it.
/// @throws std::bad_alloc
TlsContext new_tls_context(const SSL_METHOD* method);

/// The reason of OpenSSL's last failure on this thread ("wrong version number"), which is forgotten thereby; empty when
/// there is none.
std::string take_tls_reason();

}  // namespace taskd::http
