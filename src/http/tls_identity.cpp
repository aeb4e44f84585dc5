#include "http/tls_identity.hpp"

#include <array>
#include <cerrno>
#include <ctime>
#include <fstream>
#include <sstream>
#include <system_error>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <taskd/error.hpp>

namespace taskd::http {

namespace {

using WallTime = std::chrono::system_clock::time_point;

constexpr std::string_view certificate_word = "TLS certificate";
constexpr std::string_view key_word = "TLS key";

/// From here on a certificate is told to end soon.
constexpr std::chrono::hours soon{14 * 24};

[[noreturn]] void refuse_part(std::string_view what, const std::string& name, const std::string& problem) {
    throw BadRequest(what, name + ": " + problem);
}

TlsPair::Part read_part(std::string_view what, const std::string& file) {
    const auto fail = [&](int code) {
        throw Error(ErrorKind::unavailable, code, "tls",
                    "read " + std::string(what) + " " + file + ": " + std::generic_category().message(code));
    };
    errno = 0;
    std::ifstream stream(file, std::ios::binary);
    if (!stream) fail(errno);
    std::ostringstream text;
    text << stream.rdbuf();
    if (stream.bad() || text.str().empty()) {
        // The stream hides it: a directory can be opened but not read.
        if (errno != 0) fail(errno);
        refuse_part(what, file, "is empty");
    }
    return {file, text.str()};
}

Bio bio_of(const std::string& pem) {
    Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    if (!bio) throw std::bad_alloc();
    return bio;
}

/// What is there in place of what was asked for, as a clause.
std::string what_it_holds(const std::string& pem) {
    if (pem.find("PRIVATE KEY-----") != std::string::npos && pem.find("CERTIFICATE-----") == std::string::npos)
        return ", but a private key: are certificate and key exchanged?";
    if (pem.find("CERTIFICATE REQUEST-----") != std::string::npos) return ", but a request for a certificate";
    if (pem.find("CERTIFICATE-----") != std::string::npos)
        return ", but a certificate: are certificate and key exchanged?";
    if (pem.find("-----BEGIN ") == std::string::npos) return ": it is no PEM file";
    return "";
}

Certificate next_certificate(BIO* bio) {
    return Certificate(PEM_read_bio_X509_AUX(bio, nullptr, nullptr, nullptr));
}

/// Asked for a passphrase, there is none.
int no_passphrase(char*, int, int, void*) {
    return -1;
}

PrivateKey read_key(const TlsPair::Part& part) {
    const auto bio = bio_of(part.pem);
    PrivateKey key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
    if (key) return key;
    const auto reason = take_tls_reason();
    if (part.pem.find("ENCRYPTED") != std::string::npos)
        refuse_part(key_word, part.name, "is encrypted with a passphrase, for which nobody could be asked");
    if (part.pem.find("PRIVATE KEY-----") == std::string::npos)
        refuse_part(key_word, part.name, "holds no private key" + what_it_holds(part.pem));
    refuse_part(key_word, part.name, "the private key cannot be read: " + reason);
}

WallTime time_of(const ASN1_TIME* time) {
    std::tm utc{};
    if (ASN1_TIME_to_tm(time, &utc) != 1) return {};
    return std::chrono::system_clock::from_time_t(::timegm(&utc));
}

std::string text_of(WallTime time) {
    const auto seconds = std::chrono::system_clock::to_time_t(time);
    std::tm utc{};
    ::gmtime_r(&seconds, &utc);
    std::array<char, 32> text{};
    return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &utc)};
}

std::string written_by(BIO* bio) {
    char* data = nullptr;
    const auto size = BIO_get_mem_data(bio, &data);
    return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string();
}

std::string subject_of(const X509* certificate) {
    const Bio bio(BIO_new(BIO_s_mem()));
    if (!bio) throw std::bad_alloc();
    X509_NAME_print_ex(bio.get(), X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253);
    return written_by(bio.get());
}

/// "DNS:a, IP Address:127.0.0.1"; empty when it names no host.
std::string hosts_of(const X509* certificate) {
    const int position = X509_get_ext_by_NID(certificate, NID_subject_alt_name, -1);
    if (position < 0) return {};
    const Bio bio(BIO_new(BIO_s_mem()));
    if (!bio) throw std::bad_alloc();
    X509V3_EXT_print(bio.get(), X509_get_ext(certificate, position), 0, 0);
    return written_by(bio.get());
}

/// The certificates behind the first one, in the order of the file.
void add_chain(SSL_CTX* context, BIO* bio, const std::string& name) {
    while (auto certificate = next_certificate(bio)) {
        if (SSL_CTX_add0_chain_cert(context, certificate.get()) != 1)
            refuse_part(certificate_word, name, "the chain cannot be used: " + take_tls_reason());
        (void)certificate.release();  // NOLINT(bugprone-unused-return-value): the context's now
    }
    const auto last = ERR_peek_last_error();
    if (ERR_GET_LIB(last) != ERR_LIB_PEM || ERR_GET_REASON(last) != PEM_R_NO_START_LINE)
        refuse_part(certificate_word, name, "the chain cannot be read: " + take_tls_reason());
    ERR_clear_error();
}

}  // namespace

TlsPair read_tls_pair(const std::string& certificate_file, const std::string& key_file) {
    return {read_part(certificate_word, certificate_file), read_part(key_word, key_file)};
}

TlsIdentity::TlsIdentity(const TlsPair& pair)
    : name_(std::string(certificate_word) + " " + pair.certificate.name),
      context_(new_tls_context(TLS_server_method())) {
    ERR_clear_error();
    const auto bio = bio_of(pair.certificate.pem);
    const auto certificate = next_certificate(bio.get());
    if (!certificate) {
        const auto reason = take_tls_reason();
        if (pair.certificate.pem.find("CERTIFICATE-----") != std::string::npos &&
            pair.certificate.pem.find("CERTIFICATE REQUEST-----") == std::string::npos)
            refuse_part(certificate_word, pair.certificate.name, "the certificate cannot be read: " + reason);
        refuse_part(certificate_word, pair.certificate.name,
                    "holds no certificate" + what_it_holds(pair.certificate.pem));
    }
    const auto key = read_key(pair.key);
    if (X509_check_private_key(certificate.get(), key.get()) != 1) {
        ERR_clear_error();
        refuse_part(key_word, pair.key.name, "does not belong to the certificate " + pair.certificate.name);
    }
    if (SSL_CTX_use_certificate(context_.get(), certificate.get()) != 1)
        refuse_part(certificate_word, pair.certificate.name, "cannot be used: " + take_tls_reason());
    if (SSL_CTX_use_PrivateKey(context_.get(), key.get()) != 1)
        refuse_part(key_word, pair.key.name, "cannot be used: " + take_tls_reason());
    add_chain(context_.get(), bio.get(), pair.certificate.name);

    valid_from_ = time_of(X509_get0_notBefore(certificate.get()));
    valid_until_ = time_of(X509_get0_notAfter(certificate.get()));
    const auto hosts = hosts_of(certificate.get());
    names_hosts_ = !hosts.empty();
    description_ = subject_of(certificate.get()) + " for " + (hosts.empty() ? "no host" : hosts) + ", valid until " +
                   text_of(valid_until_);
}

std::vector<std::string> TlsIdentity::warnings(WallTime now) const {
    std::vector<std::string> all;
    if (valid_until_ < now)
        all.push_back(name_ + " expired at " + text_of(valid_until_) + ": clients will refuse it");
    else if (valid_until_ < now + soon)
        all.push_back(name_ + " expires at " + text_of(valid_until_) + ", in " +
                      std::to_string(std::chrono::duration_cast<std::chrono::hours>(valid_until_ - now).count() / 24) +
                      " days");
    if (valid_from_ > now) all.push_back(name_ + " is not valid before " + text_of(valid_from_));
    if (!names_hosts_) all.push_back(name_ + " names no host (subjectAltName): clients will refuse it");
    return all;
}

}  // namespace taskd::http
