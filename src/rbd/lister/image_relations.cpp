#include "rbd/lister/image_reading.hpp"

#include <algorithm>
#include <cerrno>
#include <map>
#include <utility>

#include <rbd/features.h>

namespace taskd::rbd {
namespace {

constexpr std::size_t snapshots_per_read = 32;

SnapshotDetails details_of(const wire::SnapshotHeader& header) {
    SnapshotDetails details;
    details.id = header.id;
    details.name = header.name;
    details.size_bytes = header.size_bytes;
    details.type = static_cast<std::uint32_t>(header.type);
    details.created = header.created;
    details.original_name = header.original_name;
    return details;
}

/// The snapshots of an image on their way; when the last read has ended they go into the image.
struct Snapshots {
    explicit Snapshots(ImageReading of) : reading(std::move(of)) {}
    ~Snapshots();
    Snapshots(const Snapshots&) = delete;
    Snapshots& operator=(const Snapshots&) = delete;

    const ImageReading reading;
    std::map<std::uint64_t, SnapshotDetails> found;  ///< By id: removed ones are left out.
    std::uint64_t flags = 0;                         ///< Of all of them together.
    /// What the oldest shares with the parent; the image itself when it has no snapshot.
    std::uint64_t oldest = wire::no_snapshot;
    std::uint64_t first_overlap = reading->image.details->overlap_bytes;
};
using SnapshotsPointer = std::shared_ptr<Snapshots>;

Snapshots::~Snapshots() {
    auto& details = *reading->image.details;
    for (auto& [id, snapshot] : found) {
        std::sort(snapshot.clones.begin(), snapshot.clones.end());
        snapshot.clones.erase(std::unique(snapshot.clones.begin(), snapshot.clones.end()), snapshot.clones.end());
        details.snapshots.push_back(std::move(snapshot));
    }
    if (reading->context->wants_usage) read_usage(reading, flags, first_overlap);
}

void add_clone(const SnapshotsPointer& snapshots, std::uint64_t snapshot, const wire::ChildSpec& clone) {
    const auto pool = snapshots->reading->context->pools->find(clone.pool);
    const auto io = pool ? pool->io(clone.ns) : nullptr;
    if (!io) return;
    find_name(snapshots->reading->reader, io, clone.image_id, [snapshots, snapshot, pool](const FoundName& found) {
        if (!found.name.empty() && !found.is_in_trash)
            snapshots->found[snapshot].clones.push_back({pool->name(), found.name});
    });
}

/// Clones of format 1 are known to their own pools only: every pool is asked, once for all protected snapshots.
void ask_pools_for_clones(const SnapshotsPointer& snapshots, const std::vector<std::uint64_t>& of) {
    const auto& reading = *snapshots->reading;
    for (const auto& [id, pool] : reading.context->pools->all()) {
        if (reading.context->without_children.contains(id)) continue;
        const auto io = pool->io(reading.image.ns);
        if (!io) continue;
        ReadOp op;
        for (const auto snapshot : of)
            op.exec("get_children",
                    wire::children_input({reading.pool->id(), reading.image.ns, reading.image.id, snapshot}));
        reading.reader.read(io, "rbd_children", std::move(op), [snapshots, of, pool_id = id](ReadOp& answer) {
            const auto& where = *snapshots->reading;
            // Known for the namespace of this image only, so remembered for the usual one alone.
            if (answer.rc() == -ENOENT && where.image.ns.empty()) where.context->without_children.insert(pool_id);
            for (std::size_t part = 0; part < of.size(); ++part)
                for (const auto& image_id :
                     wire::decode_texts(answer.answer(part)).value_or(std::vector<std::string>{}))
                    add_clone(snapshots, of[part], {pool_id, where.image.ns, image_id});
        });
    }
}

/// The parts of a read, five a snapshot.
void handle_snapshots(const SnapshotsPointer& snapshots, const std::vector<std::uint64_t>& ids, ReadOp& answer) {
    if (answer.rc() < 0) return snapshots->reading->fail(answer.rc());
    std::vector<std::uint64_t> protected_ones;
    std::size_t part = 0;
    for (const auto id : ids) {
        const auto header = wire::decode_snapshot(answer.answer(part));
        const auto protection = wire::decode_u8(answer.answer(part + 1));
        const auto flags = wire::decode_u64(answer.answer(part + 2));
        const auto clones = wire::decode_children(answer.answer(part + 3));
        const auto overlap = wire::decode_overlap(answer.answer(part + 4));
        part += 5;
        if (!header) continue;  // removed since its id was read
        if (id < snapshots->oldest) {
            snapshots->oldest = id;
            snapshots->first_overlap = overlap.value_or(0);
        }
        auto& snapshot = snapshots->found[id] = details_of(*header);
        snapshot.is_protected = protection == wire::is_protected_status;
        snapshots->flags |= flags.value_or(0);
        if (clones)
            for (const auto& clone : *clones) add_clone(snapshots, id, clone);
        if (protection.value_or(0) != 0) protected_ones.push_back(id);
    }
    if (!protected_ones.empty()) ask_pools_for_clones(snapshots, protected_ones);
}

}  // namespace

void find_name(Reader& reader, const std::shared_ptr<const ceph::Ioctx>& io, const std::string& id,
               std::function<void(FoundName)> then) {
    ReadOp op;
    op.exec("dir_get_name", wire::text_input(id));
    reader.read(io, "rbd_directory", std::move(op), [&reader, io, id, then = std::move(then)](ReadOp& answer) {
        if (answer.result(0) != -ENOENT) return then({wire::decode_text(answer.answer(0)).value_or("")});
        ReadOp trash;
        trash.exec("trash_get", wire::text_input(id));
        reader.read(io, "rbd_trash", std::move(trash), [then](ReadOp& trash_answer) {
            const auto entry = wire::decode_trash(trash_answer.answer(0));
            then(entry ? FoundName{entry->name, true} : FoundName{});
        });
    });
}

void read_parent(const ImageReading& reading) {
    auto& details = *reading->image.details;
    // As librbd has it: what no longer shares a byte with its parent has none.
    if (reading->parent.pool < 0 || details.overlap_bytes == 0) return;
    auto& parent = details.parent.emplace();
    parent.pool = reading->pool_name(reading->parent.pool);
    parent.ns = reading->parent.ns;
    parent.id = reading->parent.image_id;
    const auto pool = reading->context->pools->find(reading->parent.pool);
    const auto io = pool ? pool->io(parent.ns) : nullptr;
    if (!io) return;
    find_name(reading->reader, io, parent.id, [reading](const FoundName& found) {
        reading->image.details->parent->name = found.name;
        reading->image.details->parent->is_in_trash = found.is_in_trash;
    });
    ReadOp op;
    op.exec("snapshot_get", wire::snapshot_input(reading->parent.snapshot));
    reading->reader.read(io, "rbd_header." + parent.id, std::move(op), [reading](ReadOp& answer) {
        if (const auto snapshot = wire::decode_snapshot(answer.answer(0)))
            reading->image.details->parent->snapshot = snapshot->name;
    });
}

void read_snapshots(const ImageReading& reading, const std::vector<std::uint64_t>& ids) {
    const auto snapshots = std::make_shared<Snapshots>(reading);
    for (std::size_t from = 0; from < ids.size(); from += snapshots_per_read) {
        const std::vector<std::uint64_t> some(
            ids.begin() + static_cast<std::ptrdiff_t>(from),
            ids.begin() + static_cast<std::ptrdiff_t>(std::min(ids.size(), from + snapshots_per_read)));
        ReadOp op;
        for (const auto id : some) {
            const auto input = wire::snapshot_input(id);
            op.exec("snapshot_get", input);
            op.exec("get_protection_status", input);
            op.exec("get_flags", input);
            op.exec("children_list", input);
            op.exec("parent_overlap_get", input);
        }
        reading->read(reading->header_object(), std::move(op),
                      [snapshots, some](ReadOp& answer) { handle_snapshots(snapshots, some, answer); });
    }
}

void read_mirroring(const ImageReading& reading) {
    if (!reading->context->mirrored.contains({reading->pool->id(), reading->image.ns})) return;
    ReadOp op;
    const auto key = "image_" + reading->image.id;
    op.entries("", key, 1);
    reading->read("rbd_mirroring", std::move(op), [reading, key](ReadOp& answer) {
        for (const auto& [found, value] : answer.take_entries(0))
            if (found == key)
                reading->image.details->is_mirrored_by_snapshots =
                    wire::decode_is_snapshot_mirrored(value).value_or(false);
    });
}

}  // namespace taskd::rbd
