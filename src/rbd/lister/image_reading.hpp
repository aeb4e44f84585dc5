#pragma once

#include "rbd/lister/image_reader.hpp"
#include "rbd/lister/object_map.hpp"

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace taskd::rbd {

/// One image that is being read. Every read under way holds it; when the last of them has ended and nobody started
/// another, it is done: the destructor hands the image on.
struct ImageReadingState {
    ImageReadingState(Reader& reader_of_all, std::shared_ptr<ReadingContext> shared, std::shared_ptr<const Pool> where,
                      ListedImage what, std::function<void(ListedImage)> then)
        : reader(reader_of_all),
          context(std::move(shared)),
          pool(std::move(where)),
          io(pool->io(what.ns)),
          image(std::move(what)),
          done(std::move(then)) {}
    ~ImageReadingState();
    ImageReadingState(const ImageReadingState&) = delete;
    ImageReadingState& operator=(const ImageReadingState&) = delete;

    /// Of an object in the image's pool and namespace.
    void read(const std::string& object, ReadOp op, Reader::Then then);
    void fail(int rc);

    std::string header_object() const { return "rbd_header." + image.id; }
    std::string pool_name(std::int64_t id) const;
    /// Of this size, at a snapshot or now. The details must be there.
    ObjectLayout layout(std::uint64_t size_bytes) const;

    Reader& reader;
    const std::shared_ptr<ReadingContext> context;
    const std::shared_ptr<const Pool> pool;
    const std::shared_ptr<const ceph::Ioctx> io;
    ListedImage image;
    std::function<void(ListedImage)> done;
    wire::ParentSpec parent;
    bool half_removed = false;
};
using ImageReading = std::shared_ptr<ImageReadingState>;

/// Names the parent, when there is one.
void read_parent(const ImageReading& reading);
/// Reads the snapshots and their clones, then, if wanted, what each uses.
/// @param ids  Oldest first.
void read_snapshots(const ImageReading& reading, const std::vector<std::uint64_t>& ids);
/// Whether the image is mirrored, and how.
void read_mirroring(const ImageReading& reading);
/// What the image and its snapshots use, from their object maps. The snapshots must be there.
/// @param snapshot_flags  Of all snapshots together.
/// @param first_overlap   What the oldest snapshot shares with the parent, or the image where there is none.
void read_usage(const ImageReading& reading, std::uint64_t snapshot_flags, std::uint64_t first_overlap);

/// Looks for the name of an image in the directory, then in the trash.
struct FoundName {
    std::string name;  ///< Empty: neither there nor there, or no answer.
    bool is_in_trash = false;
};
void find_name(Reader& reader, const std::shared_ptr<const ceph::Ioctx>& io, const std::string& id,
               std::function<void(FoundName)> then);

}  // namespace taskd::rbd
