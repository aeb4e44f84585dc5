#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace taskd::http {

/// An address of either family; an IPv4 one as its form in IPv6 (RFC 4291 2.5.5.2).
using IpAddress = std::array<unsigned char, 16>;

/// Reads "192.0.2.1", "2001:db8::1", and both with a port behind them: "192.0.2.1:80", "[2001:db8::1]:80".
std::optional<IpAddress> read_ip_address(std::string_view text);

/// A range of addresses.
class Network {
  public:
    /// Reads "192.0.2.0/24", "2001:db8::/32", or one address.
    /// @throws BadRequest ("network", …), also when bits behind the prefix are set
    static Network parse(std::string_view text);

    bool contains(const IpAddress& address) const noexcept;

  private:
    Network(const IpAddress& first, unsigned prefix) : first_(first), prefix_(prefix) {}

    IpAddress first_;
    unsigned prefix_;  // of 128
};

}  // namespace taskd::http
