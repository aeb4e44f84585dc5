#include "rbd/lister/wire.hpp"

namespace taskd::rbd::wire {

void Decoder::fail() noexcept {
    ok_ = false;
    bytes_ = {};
}

std::string_view Decoder::bytes(std::size_t size) noexcept {
    if (bytes_.size() < size) {
        fail();
        return {};
    }
    const auto taken = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return taken;
}

std::uint64_t Decoder::integer(std::size_t size) noexcept {
    std::uint64_t value = 0;
    std::size_t shift = 0;
    for (const char byte : bytes(size)) {
        value |= std::uint64_t{static_cast<std::uint8_t>(byte)} << shift;
        shift += 8;
    }
    return value;
}

std::uint32_t Decoder::count(std::size_t smallest) noexcept {
    const auto count = u32();
    if (std::uint64_t{count} * smallest <= left()) return count;
    fail();
    return 0;
}

Decoder::Enclosed Decoder::enclosed(std::uint8_t known) noexcept {
    const auto version = u8();
    const auto oldest_reader = u8();
    const auto size = u32();
    if (oldest_reader > known) fail();
    Enclosed result{version, Decoder(bytes(size))};
    if (!ok_) result.content.fail();
    return result;
}

Encoder& Encoder::integer(std::uint64_t value, std::size_t size) {
    for (; size > 0; --size, value >>= 8) bytes_ += static_cast<char>(value & 0xFF);
    return *this;
}

}  // namespace taskd::rbd::wire
