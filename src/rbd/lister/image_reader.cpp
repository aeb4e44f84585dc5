#include "rbd/lister/image_reader.hpp"

#include "rbd/configuration.hpp"
#include "rbd/lister/format1.hpp"
#include "rbd/lister/image_reading.hpp"
#include "rbd/removal_by_trash.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <rbd/features.h>
#include <rbd/librbd.h>

namespace taskd::rbd {
namespace {

constexpr std::uint64_t metadata_per_read = 64;  // what the class gives at most

/// The parts of the compound read of a header, in their order.
struct HeaderParts {
    ReadOp op;
    std::size_t size, features, flags, operation_features, prefix, snapshots, striping, data_pool, created, accessed,
        modified, parent, overlap, metadata;
};

HeaderParts header_parts(bool wants_all) {
    const auto itself = wire::snapshot_input(wire::no_snapshot);
    HeaderParts parts{};
    auto& op = parts.op;
    parts.size = op.exec("get_size", itself);
    parts.features = op.exec("get_features", wire::features_input(wire::no_snapshot));
    parts.flags = op.exec("get_flags", itself);
    parts.prefix = op.exec("get_object_prefix");
    parts.snapshots = op.exec("get_snapcontext");
    parts.striping = op.exec("get_stripe_unit_count");
    parts.data_pool = op.exec("get_data_pool");
    parts.created = op.exec("get_create_timestamp");
    parts.parent = op.exec("parent_get");
    parts.overlap = op.exec("parent_overlap_get", itself);
    parts.metadata = op.exec("metadata_list", wire::list_input(option_prefix, metadata_per_read));
    parts.operation_features = wants_all ? op.exec("op_features_get") : ReadOp::no_part;
    parts.accessed = wants_all ? op.exec("get_access_timestamp") : ReadOp::no_part;
    parts.modified = wants_all ? op.exec("get_modify_timestamp") : ReadOp::no_part;
    return parts;
}

/// Adds the options among the metadata. @returns where to read on, empty at the end
std::string add_options(ImageDetails& details, const std::map<std::string, std::string>& metadata) {
    for (const auto& [key, value] : metadata) {
        if (!key.starts_with(option_prefix)) return {};
        details.options.emplace(key.substr(option_prefix.size()), value);
    }
    return metadata.size() < metadata_per_read ? std::string() : metadata.rbegin()->first;
}

void read_more_options(const ImageReading& reading, const std::string& after) {
    ReadOp op;
    op.exec("metadata_list", wire::list_input(after, metadata_per_read));
    reading->read(reading->header_object(), std::move(op), [reading](ReadOp& answer) {
        const auto metadata = wire::decode_metadata(answer.answer(0));
        const auto next = metadata ? add_options(*reading->image.details, *metadata) : std::string();
        if (!next.empty()) read_more_options(reading, next);
    });
}

/// An image whose header is not there: what is it?
void explain_missing_header(const ImageReading& reading) {
    ReadOp name;
    name.exec("dir_get_name", wire::text_input(reading->image.id));
    reading->read("rbd_directory", std::move(name), [reading](ReadOp& answer) {
        if (answer.result(0) == -ENOENT) reading->image.state = ListedImage::State::gone;
    });
    ReadOp trash;
    trash.exec("trash_get", wire::text_input(reading->image.id));
    reading->read("rbd_trash", std::move(trash), [reading](ReadOp& answer) {
        const auto entry = wire::decode_trash(answer.answer(0));
        if (!entry || !is_being_removed(*entry)) return;
        reading->image.deleted = entry->deleted;
        reading->half_removed = true;
    });
    reading->image.state = ListedImage::State::incomplete;
    reading->image.error = ENOENT;
    reading->image.problem = "it has a name but no header: it is just being made, or was half made";
}

void decode_header(const ImageReading& reading, HeaderParts& parts) {
    auto& op = parts.op;
    if (op.rc() == -ENOENT) return explain_missing_header(reading);
    if (op.rc() < 0) return reading->fail(op.rc());
    const auto size = wire::decode_size(op.answer(parts.size));
    const auto features = wire::decode_u64(op.answer(parts.features));
    if (!size || !features) return reading->fail(std::min({op.result(parts.size), op.result(parts.features), -EIO}));

    auto& details = reading->image.details.emplace();
    details.size_bytes = size->size_bytes;
    details.order = size->order;
    details.features = *features;
    details.flags = wire::decode_u64(op.answer(parts.flags)).value_or(0);
    details.operation_features = wire::decode_u64(op.answer(parts.operation_features)).value_or(0);
    details.object_prefix = wire::decode_text(op.answer(parts.prefix)).value_or("rbd_data." + reading->image.id);
    const auto striping =
        wire::decode_striping(op.answer(parts.striping)).value_or(wire::Striping{std::uint64_t{1} << details.order, 1});
    details.stripe_unit_bytes = striping.unit_bytes;
    details.stripe_count = striping.count;
    details.created = wire::decode_time(op.answer(parts.created)).value_or(wire::Time{});
    details.accessed = wire::decode_time(op.answer(parts.accessed)).value_or(wire::Time{});
    details.modified = wire::decode_time(op.answer(parts.modified)).value_or(wire::Time{});
    const auto layout = reading->layout(details.size_bytes);
    if (!layout.is_possible()) return reading->fail(-EIO);
    details.objects = layout.object_count();
    if (const auto pool = wire::decode_i64(op.answer(parts.data_pool));
        pool && *pool >= 0 && *pool != reading->pool->id())
        details.data_pool = reading->pool_name(*pool);

    reading->parent = wire::decode_parent(op.answer(parts.parent)).value_or(wire::ParentSpec{});
    details.overlap_bytes = wire::decode_overlap(op.answer(parts.overlap)).value_or(0);
    if (const auto metadata = wire::decode_metadata(op.answer(parts.metadata)))
        if (const auto next = add_options(details, *metadata); !next.empty()) read_more_options(reading, next);
    auto snapshots = wire::decode_snapshot_ids(op.answer(parts.snapshots)).value_or(std::vector<std::uint64_t>{});
    std::sort(snapshots.begin(), snapshots.end());
    read_parent(reading);
    read_snapshots(reading, snapshots);
    read_mirroring(reading);
}

void decode_old_header(const ImageReading& reading, const ReadOp& answer) {
    if (answer.rc() == -ENOENT) {
        reading->image.state = ListedImage::State::gone;
        return;
    }
    if (answer.rc() < 0) return reading->fail(answer.rc());
    const auto header = decode_format1_header(answer.answer(0));
    if (!header) return reading->fail(-EIO);
    auto& details = reading->image.details.emplace();
    details.format = 1;
    details.size_bytes = header->size_bytes;
    details.order = header->order;
    details.object_prefix = header->object_prefix;
    details.stripe_unit_bytes = std::uint64_t{1} << header->order;
    const auto layout = reading->layout(details.size_bytes);
    if (!layout.is_possible()) return reading->fail(-EIO);
    details.objects = layout.object_count();
    for (const auto& stored : header->snapshots) {
        auto& snapshot = details.snapshots.emplace_back();
        snapshot.id = stored.id;
        snapshot.name = stored.name;
        snapshot.size_bytes = stored.size_bytes;
    }
    std::sort(details.snapshots.begin(), details.snapshots.end(),
              [](const auto& left, const auto& right) { return left.id < right.id; });
}

}  // namespace

ImageReadingState::~ImageReadingState() {
    if (half_removed && image.state != ListedImage::State::gone) image.state = ListedImage::State::removing;
    if (image.state != ListedImage::State::present) image.details.reset();
    // The dashboard tells none of these, as the mirror's own snapshots are no user's.
    if (image.details && image.details->is_mirrored_by_snapshots) {
        image.details->used_bytes.reset();
        image.details->total_used_bytes.reset();
    }
    done(std::move(image));
}

void ImageReadingState::read(const std::string& object, ReadOp op, Reader::Then then) {
    reader.read(io, object, std::move(op), std::move(then));
}

void ImageReadingState::fail(int rc) {
    image.state = rc == -ETIMEDOUT || rc == -ECANCELED ? ListedImage::State::silent : ListedImage::State::broken;
    image.error = -rc;
}

std::string ImageReadingState::pool_name(std::int64_t id) const {
    const auto known = context->pools->find(id);
    return known ? known->name() : std::string();
}

ObjectLayout ImageReadingState::layout(std::uint64_t size_bytes) const {
    const auto& details = *image.details;
    return {size_bytes, std::uint64_t{1} << details.order, details.stripe_unit_bytes, details.stripe_count};
}

void read_image(Reader& reader, std::shared_ptr<ReadingContext> context, std::shared_ptr<const Pool> pool,
                ListedImage image, std::function<void(ListedImage)> done) {
    constexpr std::size_t most_old_header = 64 * 1024;
    const auto reading = std::make_shared<ImageReadingState>(reader, std::move(context), std::move(pool),
                                                             std::move(image), std::move(done));
    if (!reading->io) {
        reading->fail(-ENOENT);
        return;
    }
    if (reading->image.id.empty()) {
        ReadOp op;
        op.data(most_old_header);
        reading->read(reading->image.name + ".rbd", std::move(op),
                      [reading](ReadOp& answer) { decode_old_header(reading, answer); });
        return;
    }
    auto parts = std::make_shared<HeaderParts>(header_parts(reading->context->wants_all));
    auto op = std::move(parts->op);
    reading->read(reading->header_object(), std::move(op), [reading, parts](ReadOp& answer) {
        parts->op = std::move(answer);
        decode_header(reading, *parts);
    });
}

}  // namespace taskd::rbd
