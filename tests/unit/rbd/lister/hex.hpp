#pragma once

#include <string>
#include <string_view>

namespace taskd::rbd {

/// The bytes of a hexadecimal text; blanks between them are for readers.
inline std::string bytes_of(std::string_view hex) {
    const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
    std::string bytes;
    for (std::size_t at = 0; at < hex.size();) {
        if (hex[at] == ' ') {
            ++at;
            continue;
        }
        bytes += static_cast<char>(digit(hex[at]) * 16 + digit(hex[at + 1]));
        at += 2;
    }
    return bytes;
}

}  // namespace taskd::rbd
