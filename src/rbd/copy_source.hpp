#pragma once

#include "rbd/create_image.hpp"
#include "rbd/image.hpp"
#include "rbd/image_work.hpp"

#include <string>

#include <nlohmann/json.hpp>

namespace taskd::rbd {

/// The fields beside those of the destination and the layout: `image_spec`, `image_id`, `snapshot_name`.
/// @throws BadRequest
void decode_copy_source(const Arguments& fields, nlohmann::json& result);

/// What is copied: an image as it is, or one of its snapshots. Opened read-only, since a client that writes to it, or
/// holds its lock, can make a copy through a writable handle wait for ever.
class CopySource {
  public:
    /// @throws Error
    CopySource(OperationContext& context, const nlohmann::json& arguments);

    const Image& image() const noexcept { return image_; }
    std::uint64_t size_bytes() const noexcept { return size_bytes_; }

    /// What a copy of it is made like: as the arguments say and, where they do not, like the source.
    ImageLayout layout() const;

    /// `error copying image b'src' to b'dest'`
    std::string copying(const ImageSpec& destination) const;

    /// Nobody is kept from removing the source while it is read, and what is gone reads as zeros.
    /// @throws Error  ENOENT: it is not there any more
    void check_still_there(std::string_view doing) const;

  private:
    Image open();

    ImageWork work_;
    const ImageLayout asked_;
    const std::string snapshot_;
    Image image_;
    std::uint64_t size_bytes_ = 0;
};

}  // namespace taskd::rbd
