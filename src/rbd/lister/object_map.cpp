#include "rbd/lister/object_map.hpp"

#include "rbd/lister/wire.hpp"

#include <algorithm>

namespace taskd::rbd {
namespace {

using State = ObjectMap::State;

/// Calls `use(offset, length)` for each part of the image that lies in the object, in ascending order.
template <class Use>
void for_each_part(const ObjectLayout& layout, std::uint64_t object, Use&& use) {
    const auto units = layout.object_bytes / layout.stripe_unit_bytes;
    const auto set = object / layout.stripe_count;
    const auto position = object % layout.stripe_count;
    if (layout.stripe_count == 1) {
        const auto offset = object * layout.object_bytes;
        if (offset < layout.size_bytes) use(offset, std::min(layout.object_bytes, layout.size_bytes - offset));
        return;
    }
    for (std::uint64_t unit = 0; unit < units; ++unit) {
        const auto offset = ((set * units + unit) * layout.stripe_count + position) * layout.stripe_unit_bytes;
        if (offset >= layout.size_bytes) return;
        use(offset, std::min(layout.stripe_unit_bytes, layout.size_bytes - offset));
    }
}

/// Of two extents that touch, one.
void append(Extents& extents, Extent next) {
    if (!extents.empty() && extents.back().offset + extents.back().length == next.offset)
        extents.back().length += next.length;
    else
        extents.push_back(next);
}

/// What `extents` have of the part.
template <class Use>
void for_each_common(const Extents& extents, std::uint64_t offset, std::uint64_t length, Use&& use) {
    const auto end = offset + length;
    auto next = std::upper_bound(extents.begin(), extents.end(), offset,
                                 [](std::uint64_t value, const Extent& extent) { return value < extent.offset; });
    if (next != extents.begin()) --next;
    for (; next != extents.end() && next->offset < end; ++next) {
        const auto from = std::max(offset, next->offset);
        const auto to = std::min(end, next->offset + next->length);
        if (from < to) use(from, to - from);
    }
}

}  // namespace

std::optional<ObjectMap> ObjectMap::decode(std::string_view answer) {
    wire::Decoder decoder(answer);
    wire::Decoder head(decoder.bytes(decoder.u32()));
    auto content = head.enclosed(1).content;
    ObjectMap map;
    map.size_ = content.u64();
    if (!content.ok() || map.size_ > std::uint64_t{decoder.left()} * 4) return std::nullopt;
    map.data_ = decoder.bytes(static_cast<std::size_t>((map.size_ + 3) / 4));
    if (!decoder.ok()) return std::nullopt;
    return map;
}

bool ObjectLayout::is_possible() const noexcept {
    constexpr std::uint64_t most_bytes = std::uint64_t{1} << 62;  // of a set of objects: sums with it fit
    return object_bytes > 0 && object_bytes <= most_bytes && stripe_unit_bytes > 0 &&
           object_bytes % stripe_unit_bytes == 0 && stripe_count > 0 && stripe_count <= most_bytes / object_bytes;
}

bool ObjectLayout::is_countable() const noexcept {
    constexpr std::uint64_t most_units = 65'536;
    return is_possible() && (stripe_count == 1 || object_bytes / stripe_unit_bytes <= most_units);
}

std::uint64_t ObjectLayout::object_count() const noexcept {
    const auto period = stripe_count * object_bytes;
    const auto periods = size_bytes / period + (size_bytes % period != 0 ? 1 : 0);
    const auto rest = size_bytes % period;
    const auto stripe = stripe_count * stripe_unit_bytes;
    const auto missing =
        rest > 0 && rest < stripe ? stripe_count - (rest + stripe_unit_bytes - 1) / stripe_unit_bytes : 0;
    return periods * stripe_count - missing;
}

std::uint64_t ObjectLayout::bytes_in(std::uint64_t object) const noexcept {
    // A set of objects that the image fills altogether.
    if ((object / stripe_count + 1) * stripe_count * object_bytes <= size_bytes) return object_bytes;
    std::uint64_t bytes = 0;
    for_each_part(*this, object, [&](std::uint64_t, std::uint64_t length) { bytes += length; });
    return bytes;
}

std::uint64_t used_bytes(const ObjectLayout& layout, const ObjectMap* before, const ObjectMap& now) {
    const auto objects = std::min(layout.object_count(), now.size());
    std::uint64_t bytes = 0;
    for (std::uint64_t object = 0; object < objects; ++object) {
        const auto state = now.state(object);
        if (state == State::nonexistent) continue;
        const bool was_there =
            before != nullptr && (object >= before->size() || before->state(object) != State::nonexistent);
        if (state == State::exists_clean && was_there) continue;
        bytes += layout.bytes_in(object);
    }
    return bytes;
}

Extents used_extents(const ObjectLayout& layout, const ObjectMap& now, const Extents& below) {
    const auto objects = std::min(layout.object_count(), now.size());
    Extents extents;
    for (std::uint64_t object = 0; object < objects; ++object) {
        const bool is_there = now.state(object) != State::nonexistent;
        if (!is_there && below.empty()) continue;
        for_each_part(layout, object, [&](std::uint64_t offset, std::uint64_t length) {
            if (is_there)
                append(extents, {offset, length});
            else
                for_each_common(below, offset, length, [&](std::uint64_t from, std::uint64_t size) {
                    append(extents, {from, size});
                });
        });
    }
    const auto in_order = [](const Extent& left, const Extent& right) { return left.offset < right.offset; };
    if (std::is_sorted(extents.begin(), extents.end(), in_order)) return extents;
    std::sort(extents.begin(), extents.end(), in_order);  // stripes
    Extents joined;
    for (const auto& extent : extents) append(joined, extent);
    return joined;
}

std::uint64_t used_bytes_of_clone(const ObjectLayout& layout, const ObjectMap& now, const Extents& below) {
    std::uint64_t bytes = 0;
    for (const auto& extent : used_extents(layout, now, below)) bytes += extent.length;
    return bytes;
}

}  // namespace taskd::rbd
