#include "http/trusted_proxies.hpp"

#include <algorithm>
#include <string>

namespace taskd::http {

namespace {

std::string_view without_blanks(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

/// The elements of a header's list, however many lines it has.
std::vector<std::string_view> list_of(const HeaderFields& headers, std::string_view name) {
    std::vector<std::string_view> list;
    for (std::size_t index = 0; index < headers.size(); ++index) {
        auto [found, value] = headers.at(index);
        if (!same_name(found, name)) continue;
        for (;;) {
            const auto comma = value.find(',');
            list.push_back(without_blanks(value.substr(0, comma)));
            if (comma == std::string_view::npos) break;
            value.remove_prefix(comma + 1);
        }
    }
    return list;
}

/// The one that the nearest proxy added.
std::string last_of(const std::vector<std::string_view>& list) {
    return list.empty() ? std::string() : std::string(list.back());
}

}  // namespace

bool TrustedProxies::trusts(std::string_view address) const {
    const auto read = read_ip_address(address);
    return read && std::any_of(networks_.begin(), networks_.end(),
                               [&](const Network& network) { return network.contains(*read); });
}

bool TrustedProxies::trusts(const Peer& peer) const {
    return !networks_.empty() && peer.kind == Peer::Kind::tcp && trusts(peer.address);
}

Forwarded TrustedProxies::read(const Request& request) const {
    Forwarded forwarded;
    const auto hops = list_of(request.headers, "X-Forwarded-For");
    for (auto hop = hops.rbegin(); hop != hops.rend(); ++hop) {
        if (!read_ip_address(*hop)) break;  // whoever stands before it is not known
        forwarded.client = *hop;
        if (!trusts(*hop)) break;
    }
    forwarded.scheme = last_of(list_of(request.headers, "X-Forwarded-Proto"));
    forwarded.host = last_of(list_of(request.headers, "X-Forwarded-Host"));
    return forwarded;
}

}  // namespace taskd::http
