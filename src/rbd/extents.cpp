#include "rbd/extents.hpp"

#include "rbd/error.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <rbd/features.h>

namespace taskd::rbd {
namespace {

/// A clone is read as a whole: its map does not know its parent's data.
bool has_trusted_map(const Image& image) {
    constexpr std::uint64_t invalid = RBD_FLAG_OBJECT_MAP_INVALID | RBD_FLAG_FAST_DIFF_INVALID;
    const auto features = image.features();
    if ((features & RBD_FEATURE_FAST_DIFF) == 0 || (features & RBD_FEATURE_MIGRATING) != 0) return false;
    std::uint64_t flags = 0;
    if (rbd_get_flags(image.handle(), &flags) < 0 || (flags & invalid) != 0) return false;
    std::uint64_t overlap = 0;
    return rbd_get_overlap(image.handle(), &overlap) == 0 && overlap == 0;
}

int add(std::uint64_t offset, std::size_t length, int exists, void* list) noexcept {
    try {
        if (exists != 0) static_cast<std::vector<Extent>*>(list)->push_back({offset, length});
        return 0;
    } catch (...) {
        return -ENOMEM;
    }
}

}  // namespace

DataExtents::DataExtents(const Image& image, std::uint64_t size_bytes, std::string doing)
    : image_(image), size_bytes_(size_bytes), doing_(std::move(doing)), has_map_(has_trusted_map(image)) {}

std::vector<Extent> DataExtents::within(std::uint64_t begin) const {
    const auto length = std::min(window_bytes, size_bytes_ - begin);
    if (!has_map_) return {{begin, length}};
    std::vector<Extent> extents;
    const int rc = rbd_diff_iterate2(image_.handle(), nullptr, begin, length, 0, 1, add, &extents);
    if (rc < 0) throw rbd_error(rc, doing_);
    return extents;
}

}  // namespace taskd::rbd
