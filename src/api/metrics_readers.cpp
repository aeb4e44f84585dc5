#include "api/metrics_readers.hpp"

#include <algorithm>
#include <array>

namespace taskd::api {
namespace {

/// What proxies add of their own; any is enough to tell that there is one.
bool was_passed_on(const http::Request& request) {
    constexpr std::array<std::string_view, 6> marks{
        "X-Forwarded-For", "X-Forwarded-Host", "Forwarded", "X-Real-IP", "Via", "X-Forwarded-Proto"};
    return std::any_of(marks.begin(), marks.end(),
                       [&](std::string_view mark) { return request.header(mark).has_value(); });
}

}  // namespace

MetricsReaders::MetricsReaders(std::vector<http::Network> networks) : networks_(std::move(networks)) {
    networks_.push_back(http::Network::parse("127.0.0.0/8"));
    networks_.push_back(http::Network::parse("::1"));
}

bool MetricsReaders::include(const http::Request& request) const {
    if (was_passed_on(request)) return request.forwarded && include(request.forwarded->client);
    return request.peer.kind == http::Peer::Kind::unix_socket || include(request.peer.address);
}

bool MetricsReaders::include(std::string_view address) const {
    const auto read = http::read_ip_address(address);
    return read && std::any_of(networks_.begin(), networks_.end(),
                               [&](const http::Network& network) { return network.contains(*read); });
}

}  // namespace taskd::api
