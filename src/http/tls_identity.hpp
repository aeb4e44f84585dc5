#pragma once

#include "http/tls_handles.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace taskd::http {

/// A certificate and its key as texts in PEM, each with what messages are to call it: "/etc/taskd.pem",
/// "config-key ceph-taskd/crt".
struct TlsPair {
    struct Part {
        std::string name;
        std::string pem;
    };

    Part certificate;  ///< The server's own first, behind it those that lead to its root.
    Part key;          ///< Without passphrase.
};

/// Reads both files. @throws Error (unavailable): "read TLS certificate /x.pem: No such file or directory"
TlsPair read_tls_pair(const std::string& certificate_file, const std::string& key_file);

/// Who a server is to its TLS clients: certificate and key, found to belong together.
/// @thread  Any.
class TlsIdentity {
  public:
    /// @throws BadRequest (of "TLS certificate" or "TLS key"): what is wrong, with which of the two
    explicit TlsIdentity(const TlsPair& pair);

    /// "CN=host for DNS:host, IP Address:127.0.0.1, valid until 2027-01-01T00:00:00Z"
    const std::string& description() const noexcept { return description_; }
    std::chrono::system_clock::time_point valid_until() const noexcept { return valid_until_; }

    /// What does not keep a server from using it but will keep clients from trusting it: it has expired, or soon will
    /// have, is not valid yet, or names no host.
    std::vector<std::string> warnings(std::chrono::system_clock::time_point now) const;

    SSL_CTX* context() const noexcept { return context_.get(); }

  private:
    std::string name_;
    std::string description_;
    bool names_hosts_ = false;
    std::chrono::system_clock::time_point valid_from_;
    std::chrono::system_clock::time_point valid_until_;
    TlsContext context_;
};

}  // namespace taskd::http
