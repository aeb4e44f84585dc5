#pragma once

#include "rbd/image_spec.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>
#include <rados/librados.h>
#include <rbd/librbd.h>

namespace taskd::ceph {
class Cluster;
}

namespace taskd::rbd {

class Image;

/// How an image is to be made; what is not set is the cluster's default.
struct ImageLayout {
    std::uint64_t size_bytes = 0;
    std::optional<int> order;  ///< Objects of 2^order bytes.
    std::optional<std::uint64_t> features;
    std::optional<std::uint64_t> stripe_unit;
    std::optional<std::uint64_t> stripe_count;
    std::optional<std::string> data_pool;
};

/// The order of the power of two that is nearest to `object_size_bytes` (by its logarithm), as the dashboard rounds.
int order_for(std::uint64_t object_size_bytes);

struct DestroyImageOptions {
    void operator()(rbd_image_options_t options) const noexcept { rbd_image_options_destroy(options); }
};
using ImageOptionsHandle = std::unique_ptr<void, DestroyImageOptions>;

/// What is set of it but the size, as librbd takes it.
ImageOptionsHandle image_options(const ImageLayout& layout);

/// Makes it. @returns librbd's code, 0 or negative.
int create_image(rados_ioctx_t pool, const std::string& name, const ImageLayout& layout);

/// Whether an image that is there could have been made by `create_image` with this layout.
bool has_layout(const Image& image, rados_ioctx_t pool, const ImageLayout& layout);

/// What is known to be wrong with making such an image, in words; empty when nothing is. For a code of `create_image`
/// that says less.
/// @thread Any. May block for the newest OSD map.
std::string explain_failure(int rc, rados_ioctx_t pool, const ImageSpec& spec, const ImageLayout& layout);

/// Refuses pools that can hold no such image, before librbd tries: erasure-coded ones without overwrites, a data pool
/// that does not exist or does not answer, for which librbd would wait without end.
/// @throws Error
void check_pools(const ceph::Cluster& cluster, rados_ioctx_t pool, const ImageSpec& spec, const ImageLayout& layout);

}  // namespace taskd::rbd
