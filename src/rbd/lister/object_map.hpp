#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace taskd::rbd {

/// Which of an image's objects are there, at one snapshot or now: two bits for each.
/// @source  Ceph `src/common/bit_vector.hpp`, `src/include/rbd/object_map_types.h`; docs/rbd-wire-format.md
class ObjectMap {
  public:
    enum class State : std::uint8_t {
        nonexistent = 0,
        exists = 1,        ///< Written since the snapshot before.
        pending = 2,       ///< Being removed.
        exists_clean = 3,  ///< As it was at the snapshot before.
    };

    /// Of the answer of object_map_load; nullopt when it is none.
    static std::optional<ObjectMap> decode(std::string_view answer);

    std::uint64_t size() const noexcept { return size_; }
    /// Of an object beyond the end: nonexistent.
    State state(std::uint64_t object) const noexcept {
        if (object >= size_) return State::nonexistent;
        const auto byte = static_cast<std::uint8_t>(data_[object / 4]);
        return static_cast<State>(byte >> (6 - 2 * (object % 4)) & 3U);
    }

  private:
    std::uint64_t size_ = 0;
    std::string data_;
};

/// How the bytes of an image lie in its objects.
struct ObjectLayout {
    std::uint64_t size_bytes = 0;
    std::uint64_t object_bytes = 1;
    std::uint64_t stripe_unit_bytes = 1;
    std::uint64_t stripe_count = 1;

    /// Whether an image may have it. A header may say anything; of a layout that cannot be nothing below may be asked.
    bool is_possible() const noexcept;
    /// Whether to go through an object's parts is quick. librbd makes stripe units of one byte if it is told to.
    bool is_countable() const noexcept;

    std::uint64_t object_count() const noexcept;
    /// Of the image, in this object.
    std::uint64_t bytes_in(std::uint64_t object) const noexcept;
};

/// What a snapshot, or the image itself, has that the snapshot before has not: whole objects, as librbd's fast diff
/// counts them.
/// @param before  Null when there is no snapshot before.
/// @source  librbd `rbd_diff_iterate2` with `whole_object`; `src/librbd/object_map/DiffRequest.cc`
std::uint64_t used_bytes(const ObjectLayout& layout, const ObjectMap* before, const ObjectMap& now);

/// A part of an image, in bytes.
struct Extent {
    std::uint64_t offset = 0;
    std::uint64_t length = 0;
    bool operator==(const Extent&) const = default;
};
using Extents = std::vector<Extent>;

/// The parts of an image whose objects are there, in ascending order, and where they are not those of `below`: what its
/// parent has of the same bytes.
Extents used_extents(const ObjectLayout& layout, const ObjectMap& now, const Extents& below);

/// What is used by a clone that has no snapshot: its own objects and, where it has none, its parent's.
/// @param below  The parent's extents, up to the overlap.
std::uint64_t used_bytes_of_clone(const ObjectLayout& layout, const ObjectMap& now, const Extents& below);

}  // namespace taskd::rbd
