#include "http/network.hpp"

#include <algorithm>
#include <charconv>

#include <netinet/in.h>

#include <arpa/inet.h>
#include <taskd/error.hpp>

namespace taskd::http {

namespace {

constexpr unsigned address_bits = 128;
constexpr unsigned bits_before_ipv4 = 96;

bool is_ipv4(std::string_view text) noexcept {
    return text.find(':') == std::string_view::npos;
}

std::optional<IpAddress> read_bare_address(std::string_view text) {
    const std::string terminated(text);
    IpAddress address{};
    if (is_ipv4(text)) {
        address[10] = address[11] = 0xFF;
        if (::inet_pton(AF_INET, terminated.c_str(), &address[12]) != 1) return std::nullopt;
    } else if (::inet_pton(AF_INET6, terminated.c_str(), address.data()) != 1) {
        return std::nullopt;
    }
    return address;
}

bool bit_of(const IpAddress& address, unsigned index) noexcept {
    return (address[index / 8] >> (7 - index % 8) & 1) != 0;
}

[[noreturn]] void refuse_network(std::string_view text, const std::string& problem) {
    throw BadRequest("network", "'" + std::string(text) + "': " + problem);
}

}  // namespace

std::optional<IpAddress> read_ip_address(std::string_view text) {
    if (text.starts_with('[')) return read_bare_address(text.substr(1, text.find(']') - 1));
    const bool has_port = std::count(text.begin(), text.end(), ':') == 1;
    return read_bare_address(has_port ? text.substr(0, text.find(':')) : text);
}

Network Network::parse(std::string_view text) {
    const auto slash = text.find('/');
    const auto host = text.substr(0, slash);
    const auto first = read_bare_address(host);
    if (!first) refuse_network(text, "expected an address, or a network as 192.0.2.0/24 or 2001:db8::/32");
    unsigned prefix = address_bits;
    if (slash != std::string_view::npos) {
        const auto digits = text.substr(slash + 1);
        const unsigned most = is_ipv4(host) ? address_bits - bits_before_ipv4 : address_bits;
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), prefix);
        if (error != std::errc{} || end != digits.data() + digits.size() || prefix > most)
            refuse_network(text, "expected a length between 0 and " + std::to_string(most) + " behind the '/'");
        if (is_ipv4(host)) prefix += bits_before_ipv4;
    }
    for (auto index = prefix; index < address_bits; ++index)
        if (bit_of(*first, index)) refuse_network(text, "bits behind the length are set");
    return {*first, prefix};
}

bool Network::contains(const IpAddress& address) const noexcept {
    for (unsigned index = 0; index < prefix_; ++index)
        if (bit_of(address, index) != bit_of(first_, index)) return false;
    return true;
}

}  // namespace taskd::http
