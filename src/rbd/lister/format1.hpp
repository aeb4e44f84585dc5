#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace taskd::rbd {

/// Images of format 1, which no Ceph makes any more but which old pools still have: no id, no features, a header that
/// is plain data of the object `NAME.rbd`.
/// @source  Ceph `src/include/rbd_types.h` (rbd_obj_header_ondisk), `src/osdc/../tmap` encoding;
/// docs/rbd-wire-format.md

struct Format1Header {
    struct Snapshot {
        std::uint64_t id = 0;
        std::uint64_t size_bytes = 0;
        std::string name;
    };
    std::string object_prefix;
    std::uint8_t order = 0;
    std::uint64_t size_bytes = 0;
    std::vector<Snapshot> snapshots;  ///< As stored: newest first.
};
/// nullopt when this is no such header.
std::optional<Format1Header> decode_format1_header(std::string_view data);

/// The names in the data of rbd_directory, where format 1 keeps them; empty when there are none.
std::vector<std::string> decode_format1_names(std::string_view directory);

}  // namespace taskd::rbd
