#pragma once

#include "http/message.hpp"
#include "http/network.hpp"

#include <vector>

namespace taskd::api {

/// Who reads the metrics without a login, as a Prometheus has none: whoever is on this host, by a loopback address or a
/// Unix socket, and who comes from a network that the operator named.
///
/// A request that somebody passed on is judged by what a trusted proxy says of its client. One that a proxy passed on
/// which nobody trusts is of nobody: a web server on this host must not open the metrics to the world.
/// @thread  Any.
class MetricsReaders {
  public:
    explicit MetricsReaders(std::vector<http::Network> networks = {});

    bool include(const http::Request& request) const;

  private:
    bool include(std::string_view address) const;

    std::vector<http::Network> networks_;
};

}  // namespace taskd::api
