#include "rbd/lister/format1.hpp"

#include "rbd/lister/wire.hpp"

#include <algorithm>

namespace taskd::rbd {
namespace {

std::string until_nul(std::string_view field) {
    return std::string(field.substr(0, field.find('\0')));
}

}  // namespace

std::optional<Format1Header> decode_format1_header(std::string_view data) {
    constexpr std::string_view signature("RBD\0", 4);
    wire::Decoder decoder(data);
    Format1Header header;
    decoder.bytes(40);  // "<<< Rados Block Device Image >>>"
    header.object_prefix = until_nul(decoder.bytes(24));
    if (decoder.bytes(4) != signature) return std::nullopt;
    decoder.bytes(8);  // "001.005"
    header.order = decoder.u8();
    decoder.bytes(3);  // encryption and compression, which never came
    header.size_bytes = decoder.u64();
    decoder.u64();  // the highest snapshot id ever given
    const auto count = decoder.u32();
    decoder.u32();
    decoder.u64();  // bytes of the names
    if (header.order >= 64 || std::uint64_t{count} * 16 > decoder.left()) return std::nullopt;
    header.snapshots.resize(count);
    for (auto& snapshot : header.snapshots) {
        snapshot.id = decoder.u64();
        snapshot.size_bytes = decoder.u64();
    }
    auto names = decoder.bytes(decoder.left());
    for (auto& snapshot : header.snapshots) {
        snapshot.name = until_nul(names);
        names.remove_prefix(std::min(names.size(), snapshot.name.size() + 1));
    }
    if (!decoder.ok()) return std::nullopt;
    return header;
}

std::vector<std::string> decode_format1_names(std::string_view directory) {
    wire::Decoder decoder(directory);
    decoder.text();  // a header, always empty
    std::vector<std::string> names;
    for (auto left = decoder.count(8); left > 0; --left) {
        auto name = decoder.text();
        decoder.text();  // a value, always empty
        if (!decoder.ok()) break;
        names.push_back(std::move(name));
    }
    return names;
}

}  // namespace taskd::rbd
