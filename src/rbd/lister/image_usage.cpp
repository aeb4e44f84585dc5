#include "rbd/lister/image_reading.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>
#include <utility>

#include <rbd/features.h>
#include <rbd/librbd.h>

namespace taskd::rbd {
namespace {

using Done = std::function<void(const std::optional<Extents>&)>;

/// Parents of parents that are followed.
constexpr int longest_chain = 16;

std::string map_object(const std::string& image_id, std::uint64_t snapshot) {
    std::array<char, 20> suffix{};
    if (snapshot != wire::no_snapshot)
        std::snprintf(suffix.data(), suffix.size(), ".%016llx", static_cast<unsigned long long>(snapshot));
    return "rbd_object_map." + image_id + suffix.data();
}

/// Whether the map tells which objects were written between two snapshots.
bool has_trusted_map(std::uint64_t features, std::uint64_t flags) {
    return (features & RBD_FEATURE_FAST_DIFF) != 0 &&
           (flags & (RBD_FLAG_FAST_DIFF_INVALID | RBD_FLAG_OBJECT_MAP_INVALID)) == 0;
}

ReadOp map_read() {
    ReadOp op;
    op.exec("object_map_load");
    return op;
}

void find_extents(Reader& reader, const std::shared_ptr<ReadingContext>& context, const wire::ParentSpec& parent,
                  std::uint64_t overlap, int depth, Done done);

/// A parent at its snapshot, of which the extents are sought.
struct Ancestor {
    ~Ancestor() { done(map && below ? std::optional(used_extents(layout, *map, *below)) : std::nullopt); }
    Done done{};
    ObjectLayout layout{};
    std::optional<ObjectMap> map{};
    std::optional<Extents> below{};
};

void read_ancestor(Reader& reader, const std::shared_ptr<ReadingContext>& context, const wire::ParentSpec& parent,
                   std::uint64_t overlap, int depth, Done done) {
    const auto pool = context->pools->find(parent.pool);
    const auto io = pool ? pool->io(parent.ns) : nullptr;
    if (!io || depth > longest_chain) return done(std::nullopt);
    const auto ancestor = std::make_shared<Ancestor>();
    ancestor->done = std::move(done);
    const auto input = wire::snapshot_input(parent.snapshot);
    ReadOp op;
    op.exec("get_size", input);
    op.exec("get_features", wire::features_input(parent.snapshot));
    op.exec("get_flags", input);
    op.exec("get_stripe_unit_count");
    op.exec("parent_get");
    op.exec("parent_overlap_get", input);
    reader.read(
        io, "rbd_header." + parent.image_id, std::move(op),
        [&reader, context, io, parent, overlap, depth, ancestor](ReadOp& answer) {
            const auto size = wire::decode_size(answer.answer(0));
            const auto features = wire::decode_u64(answer.answer(1)).value_or(0);
            const auto flags = wire::decode_u64(answer.answer(2)).value_or(0);
            if (!size || !has_trusted_map(features, flags)) return;
            const auto object_bytes = std::uint64_t{1} << size->order;
            const auto striping = wire::decode_striping(answer.answer(3)).value_or(wire::Striping{object_bytes, 1});
            const auto shared = std::min(overlap, size->size_bytes);
            ancestor->layout = {shared, object_bytes, striping.unit_bytes, striping.count};
            if (!ancestor->layout.is_countable()) return;
            reader.read(io, map_object(parent.image_id, parent.snapshot), map_read(),
                        [ancestor](ReadOp& map) { ancestor->map = ObjectMap::decode(map.answer(0)); });
            const auto above = wire::decode_parent(answer.answer(4)).value_or(wire::ParentSpec{});
            const auto above_overlap = wire::decode_overlap(answer.answer(5)).value_or(0);
            find_extents(reader, context, above, std::min(shared, above_overlap), depth + 1,
                         [ancestor](const auto& extents) { ancestor->below = extents; });
        });
}

/// What the parent has of the bytes below `overlap`; nullopt when its map cannot tell.
void find_extents(Reader& reader, const std::shared_ptr<ReadingContext>& context, const wire::ParentSpec& parent,
                  std::uint64_t overlap, int depth, Done done) {
    if (parent.pool < 0 || overlap == 0) return done(Extents{});
    const auto key = std::make_pair(parent, overlap);
    auto& shared = context->extents_of_parents[key];
    if (shared.is_known) return done(shared.extents);
    shared.waiting.push_back(std::move(done));
    if (shared.waiting.size() > 1) return;
    // The context is held by whoever waits.
    read_ancestor(reader, context, parent, overlap, depth, [known = &shared](const std::optional<Extents>& extents) {
        known->is_known = true;
        known->extents = extents;
        for (const auto& waits : std::exchange(known->waiting, {})) waits(known->extents);
    });
}

/// The maps of an image and its snapshots on their way; when all are there, the sums go into the image.
struct Usage {
    explicit Usage(ImageReading of) : reading(std::move(of)), maps(reading->image.details->snapshots.size() + 1) {}
    ~Usage();
    Usage(const Usage&) = delete;
    Usage& operator=(const Usage&) = delete;

    const ImageReading reading;
    std::vector<std::optional<ObjectMap>> maps;  ///< Of the snapshots, oldest first, then of the image.
    std::optional<Extents> below;                ///< The parent's.
};

Usage::~Usage() {
    const auto is_there = [](const auto& map) { return map.has_value(); };
    if (!below || !std::all_of(maps.begin(), maps.end(), is_there)) return;
    auto& details = *reading->image.details;
    std::uint64_t total = 0;
    for (std::size_t at = 0; at < maps.size(); ++at) {
        const bool is_snapshot = at < details.snapshots.size();
        const auto layout = reading->layout(is_snapshot ? details.snapshots[at].size_bytes : details.size_bytes);
        const auto used = at == 0 && !below->empty()
                              ? used_bytes_of_clone(layout, *maps[at], *below)
                              : used_bytes(layout, at == 0 ? nullptr : &*maps[at - 1], *maps[at]);
        (is_snapshot ? details.snapshots[at].used_bytes : details.used_bytes) = used;
        total += used;
    }
    details.total_used_bytes = total;
}

}  // namespace

void read_usage(const ImageReading& reading, std::uint64_t snapshot_flags, std::uint64_t first_overlap) {
    const auto& details = *reading->image.details;
    if (!has_trusted_map(details.features, details.flags | snapshot_flags)) return;
    if (!reading->layout(details.size_bytes).is_countable()) return;
    const auto usage = std::make_shared<Usage>(reading);
    for (std::size_t at = 0; at < usage->maps.size(); ++at) {
        const auto snapshot = at < details.snapshots.size() ? details.snapshots[at].id : wire::no_snapshot;
        reading->read(map_object(reading->image.id, snapshot), map_read(),
                      [usage, at](ReadOp& answer) { usage->maps[at] = ObjectMap::decode(answer.answer(0)); });
    }
    find_extents(reading->reader, reading->context, reading->parent, first_overlap, 0,
                 [usage](const auto& extents) { usage->below = extents; });
}

}  // namespace taskd::rbd
