#include "fuzz/fuzzer.hpp"
#include "rbd/lister/format1.hpp"
#include "rbd/lister/header_wire.hpp"
#include "rbd/lister/object_map.hpp"

#include <algorithm>
#include <numeric>

/// What is read of images without librbd, to all decoders; layouts as a header may tell them; and what an object map
/// tells of an image whose layout the first bytes say. Anybody who may write to a pool may have written it.
namespace taskd::fuzz {
namespace {

using rbd::Extents;
using rbd::ObjectLayout;
using rbd::ObjectMap;
namespace wire = rbd::wire;

void try_values(std::string_view input) {
    if (const auto value = wire::decode_u64(input))
        require(input.starts_with(wire::Encoder().u64(*value).bytes()), "a number is what was encoded");
    if (const auto value = wire::decode_i64(input))
        require(input.starts_with(wire::Encoder().i64(*value).bytes()), "a signed number is what was encoded");
    if (const auto value = wire::decode_u8(input))
        require(input.starts_with(wire::Encoder().u8(*value).bytes()), "a byte is what was encoded");
    if (const auto value = wire::decode_text(input))
        require(input.starts_with(wire::text_input(*value)), "a text is what was encoded");
    if (const auto value = wire::decode_time(input))
        require(input.starts_with(wire::Encoder().u32(value->seconds).u32(value->nanoseconds).bytes()),
                "a time is what was encoded");
    (void)wire::decode_overlap(input);
}

void try_lists(std::string_view input) {
    if (const auto texts = wire::decode_texts(input)) {
        wire::Encoder encoder;
        encoder.u32(static_cast<std::uint32_t>(texts->size()));
        for (const auto& text : *texts) encoder.text(text);
        require(input.starts_with(encoder.bytes()), "a list of texts is what was encoded");
    }
    if (const auto ids = wire::decode_snapshot_ids(input))
        require(ids->size() * 8 <= input.size(), "no more snapshots than there are bytes for");
    if (const auto metadata = wire::decode_metadata(input)) {
        std::size_t bytes = 0;
        for (const auto& [key, value] : *metadata) bytes += key.size() + value.size();
        require(bytes <= input.size(), "no more metadata than there are bytes for");
    }
    if (const auto children = wire::decode_children(input))
        require(children->size() <= input.size(), "no more children than there are bytes for");
    if (const auto holders = wire::decode_lock_holders(input))
        require(*holders <= input.size(), "no more holders of a lock than there are bytes for");
    if (const auto watchers = wire::decode_notified(input))
        require(*watchers <= input.size(), "no more watchers than there are bytes for");
}

void try_structs(std::string_view input) {
    if (const auto parent = wire::decode_parent(input))
        require(parent->ns.size() + parent->image_id.size() <= input.size(), "a parent is in the input");
    if (const auto snapshot = wire::decode_snapshot(input))
        require(snapshot->name.size() + snapshot->original_name.size() <= input.size(), "a snapshot is in the input");
    if (const auto entry = wire::decode_trash(input))
        require(entry->name.size() <= input.size(), "an entry of the trash is in the input");
    (void)wire::decode_is_snapshot_mirrored(input);
    (void)wire::decode_group_pool(input);
}

void try_format1(std::string_view input) {
    if (const auto header = rbd::decode_format1_header(input)) {
        require(header->order < 64, "an object of format 1 has a size");
        require(header->snapshots.size() * 16 <= input.size(), "no more snapshots of format 1 than bytes for them");
    }
    std::size_t bytes = 0;
    for (const auto& name : rbd::decode_format1_names(input)) bytes += name.size();
    require(bytes <= input.size(), "names of format 1 are in the input");
}

/// Size and order, then striping, as the class answers them.
void try_any_layout(std::string_view input) {
    const auto size = wire::decode_size(input);
    const auto striping = wire::decode_striping(input.substr(std::min<std::size_t>(input.size(), 9)));
    if (!size || !striping) return;
    const ObjectLayout layout{size->size_bytes, std::uint64_t{1} << size->order, striping->unit_bytes, striping->count};
    if (!layout.is_possible()) return;
    const auto objects = layout.object_count();
    require(size->size_bytes == 0 || objects > 0, "what has a size has objects");
    if (layout.is_countable() && objects > 0) (void)layout.bytes_in(objects - 1);
}

/// Of the first bytes: object size, stripe unit and count, bytes beyond whole objects, objects.
constexpr std::size_t layout_bytes = 5;

ObjectLayout small_layout(std::string_view bytes) {
    const auto byte = [&](std::size_t at) {
        return at < bytes.size() ? std::uint64_t{static_cast<std::uint8_t>(bytes[at])} : 0;
    };
    ObjectLayout layout;
    const auto order = byte(0) % 8;
    layout.object_bytes = std::uint64_t{1} << order;
    layout.stripe_unit_bytes = std::uint64_t{1} << (byte(1) % (order + 1));
    layout.stripe_count = byte(2) % 8 + 1;
    layout.size_bytes = byte(3) + layout.object_bytes * byte(4);
    return layout;
}

std::uint64_t bytes_of(const Extents& extents) {
    std::uint64_t bytes = 0;
    for (const auto& extent : extents) bytes += extent.length;
    return bytes;
}

void require_in_order(const Extents& extents, std::uint64_t size) {
    std::uint64_t end = 0;
    for (const auto& extent : extents) {
        require(extent.length > 0 && extent.offset >= end, "extents are in order and apart");
        end = extent.offset + extent.length;
    }
    require(end <= size, "extents are within the image");
}

void try_usage(std::string_view input) {
    const auto layout = small_layout(input);
    require(layout.is_possible() && layout.is_countable(), "ordinary layouts are taken");
    std::uint64_t all = 0;
    for (std::uint64_t object = 0; object < layout.object_count(); ++object) {
        require(layout.bytes_in(object) > 0, "there are no more objects than hold something");
        all += layout.bytes_in(object);
    }
    require(all == layout.size_bytes, "the objects hold the image");
    if (input.size() < layout_bytes) return;
    const auto now = ObjectMap::decode(input.substr(layout_bytes));
    if (!now) return;
    require(now->size() <= input.size() * 4, "no more objects than there are bytes for");
    const auto extents = rbd::used_extents(layout, *now, {});
    require_in_order(extents, layout.size_bytes);
    require(bytes_of(extents) == rbd::used_bytes(layout, nullptr, *now), "both ways of counting agree");
    require(rbd::used_bytes(layout, &*now, *now) <= bytes_of(extents), "what was there before is not used anew");
    if (layout.size_bytes == 0) return;
    const Extents whole{{0, layout.size_bytes}};
    std::uint64_t within = 0;
    for (std::uint64_t object = 0; object < std::min(layout.object_count(), now->size()); ++object)
        within += layout.bytes_in(object);
    require_in_order(rbd::used_extents(layout, *now, whole), layout.size_bytes);
    require(rbd::used_bytes_of_clone(layout, *now, whole) == within,
            "a clone has its parent's bytes where it has none");
}

}  // namespace

void try_input(std::string_view input) {
    try_values(input);
    try_lists(input);
    try_structs(input);
    try_format1(input);
    try_any_layout(input);
    try_usage(input);
}

}  // namespace taskd::fuzz
