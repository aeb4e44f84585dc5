#pragma once

#include "rbd/image.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace taskd::rbd {

struct Extent {
    std::uint64_t offset = 0;
    std::uint64_t length = 0;
};

/// Where an image may have data. Where its object map can be trusted, only the objects that exist; else everything.
class DataExtents {
  public:
    static constexpr std::uint64_t window_bytes = std::uint64_t{1} << 30;

    /// @param image  As it is set, at a snapshot or not. Must outlive this.
    /// @throws Error
    DataExtents(const Image& image, std::uint64_t size_bytes, std::string doing);

    /// Those of the window that begins here, in order, none longer than the window.
    /// @throws Error
    std::vector<Extent> within(std::uint64_t begin) const;

  private:
    const Image& image_;
    const std::uint64_t size_bytes_;
    const std::string doing_;
    bool has_map_ = false;
};

}  // namespace taskd::rbd
