#pragma once

#include "http/message.hpp"
#include "http/network.hpp"

#include <optional>
#include <string_view>
#include <vector>

namespace taskd::http {

/// The proxies whose word is taken for who sent a request: by X-Forwarded-For, X-Forwarded-Proto, X-Forwarded-Host.
/// From everybody else these headers mean nothing.
/// @thread  Any.
class TrustedProxies {
  public:
    TrustedProxies() = default;
    explicit TrustedProxies(std::vector<Network> networks) : networks_(std::move(networks)) {}

    /// Never somebody at a Unix socket.
    bool trusts(const Peer& peer) const;

    /// What a proxy that is trusted says. The client is the last of X-Forwarded-For that is no trusted proxy: what
    /// stands before that is the client's own word.
    Forwarded read(const Request& request) const;

  private:
    bool trusts(std::string_view address) const;

    std::vector<Network> networks_;
};

}  // namespace taskd::http
