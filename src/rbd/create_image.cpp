#include "rbd/create_image.hpp"

#include "ceph/cluster.hpp"
#include "rbd/error.hpp"
#include "rbd/features.hpp"
#include "rbd/image.hpp"
#include "rbd/pool_probe.hpp"

#include <cerrno>
#include <cmath>

#include <rbd/features.h>

namespace taskd::rbd {
namespace {

constexpr int default_order = 22;
constexpr std::uint64_t most_objects_of_a_map = 256'000'000;  // cls_rbd refuses larger object maps

/// nullopt when there is none, in the newest map.
std::optional<std::int64_t> pool_id(rados_t cluster, const std::string& name) {
    std::int64_t id = rados_pool_lookup(cluster, name.c_str());
    if (id == -ENOENT && rados_wait_for_latest_osdmap(cluster) == 0) id = rados_pool_lookup(cluster, name.c_str());
    return id < 0 ? std::nullopt : std::optional(id);
}

/// Erasure-coded without overwrites. Asks only the OSD map at hand.
bool takes_appends_only(rados_ioctx_t pool) {
    int aligned = 0;
    return rados_ioctx_pool_requires_alignment2(pool, &aligned) == 0 && aligned != 0;
}

bool takes_appends_only(rados_t cluster, std::int64_t id) {
    rados_ioctx_t io = nullptr;
    if (rados_ioctx_create2(cluster, id, &io) < 0) return false;
    const bool answer = takes_appends_only(io);
    rados_ioctx_destroy(io);
    return answer;
}

std::string explain_invalid(const ImageLayout& layout) {
    const int order = layout.order.value_or(default_order);
    const auto features = layout.features.value_or(RBD_FEATURES_DEFAULT);
    if (auto missing = missing_feature(features); !missing.empty()) return "features: " + missing;
    if (layout.stripe_unit.value_or(0) > 0 || layout.stripe_count.value_or(0) > 0) {
        const auto unit = layout.stripe_unit.value_or(0);
        const auto object_size = std::uint64_t{1} << order;
        if (unit == 0 || layout.stripe_count.value_or(0) == 0) return "stripe_unit and stripe_count go together";
        if (object_size % unit != 0)
            return "stripe_unit: the object size " + std::to_string(object_size) + " is no multiple of it";
    }
    if ((features & RBD_FEATURE_OBJECT_MAP) != 0 && layout.size_bytes >> order >= most_objects_of_a_map)
        return "size: more than the " + std::to_string(most_objects_of_a_map) +
               " objects of an object map; take larger objects or do without object-map";
    return {};
}

}  // namespace

int order_for(std::uint64_t object_size_bytes) {
    return static_cast<int>(std::lround(std::log2(static_cast<double>(object_size_bytes))));
}

ImageOptionsHandle image_options(const ImageLayout& layout) {
    rbd_image_options_t raw = nullptr;
    rbd_image_options_create(&raw);
    ImageOptionsHandle options(raw);
    const auto set = [raw](int option, const std::optional<std::uint64_t>& value) {
        if (value) rbd_image_options_set_uint64(raw, option, *value);
    };
    set(RBD_IMAGE_OPTION_FORMAT, 2);
    set(RBD_IMAGE_OPTION_FEATURES, layout.features);
    if (layout.order) set(RBD_IMAGE_OPTION_ORDER, static_cast<std::uint64_t>(*layout.order));
    set(RBD_IMAGE_OPTION_STRIPE_UNIT, layout.stripe_unit);
    set(RBD_IMAGE_OPTION_STRIPE_COUNT, layout.stripe_count);
    if (layout.data_pool) rbd_image_options_set_string(raw, RBD_IMAGE_OPTION_DATA_POOL, layout.data_pool->c_str());
    return options;
}

int create_image(rados_ioctx_t pool, const std::string& name, const ImageLayout& layout) {
    return rbd_create4(pool, name.c_str(), layout.size_bytes, image_options(layout).get());
}

bool has_layout(const Image& image, rados_ioctx_t pool, const ImageLayout& layout) {
    // Of these a client decides; librbd sets or clears the others as they follow from the rest.
    constexpr std::uint64_t compared = RBD_FEATURE_LAYERING | RBD_FEATURE_EXCLUSIVE_LOCK | RBD_FEATURE_OBJECT_MAP |
                                       RBD_FEATURE_FAST_DIFF | RBD_FEATURE_DEEP_FLATTEN | RBD_FEATURE_JOURNALING;
    if (image.size_bytes() != layout.size_bytes) return false;
    if (layout.order && image.order() != *layout.order) return false;
    if (layout.features && ((image.features() ^ *layout.features) & compared) != 0) return false;
    if (layout.stripe_unit.value_or(0) > 0 && image.stripe_unit() != *layout.stripe_unit) return false;
    if (layout.stripe_count.value_or(0) > 0 && image.stripe_count() != *layout.stripe_count) return false;
    if (!layout.data_pool) return image.data_pool_id() == rados_ioctx_get_id(pool);
    return image.data_pool_id() == pool_id(rados_ioctx_get_cluster(pool), *layout.data_pool);
}

std::string explain_failure(int rc, rados_ioctx_t pool, const ImageSpec& spec, const ImageLayout& layout) {
    bool exists = true;
    switch (-rc) {
        case ENOENT:
            if (spec.ns.empty() || rbd_namespace_exists(pool, spec.ns.c_str(), &exists) < 0 || exists) return {};
            return "namespace '" + shown(spec.ns) + "' does not exist in pool '" + shown(spec.pool) + "'";
        case EDOM:
            return "obj_size: must be from 4096 to 33554432, and is taken as a power of two";
        case EINVAL:
            return explain_invalid(layout);
        case EOPNOTSUPP:
            return "pool '" + shown(spec.pool) +
                   "' cannot hold images: when it is erasure-coded, take a replicated pool and name this one as "
                   "data_pool";
        default:
            return {};
    }
}

void check_pools(const ceph::Cluster& cluster, rados_ioctx_t pool, const ImageSpec& spec, const ImageLayout& layout) {
    if (takes_appends_only(pool))
        throw rbd_error(-EOPNOTSUPP, creating_image,
                        "pool '" + shown(spec.pool) +
                            "' is erasure-coded: take a replicated pool, and name an erasure-coded one as data_pool");
    if (!layout.data_pool) return;
    const auto name = shown(*layout.data_pool);
    const auto id = pool_id(cluster.handle(), *layout.data_pool);
    if (!id) throw rbd_error(-ENOENT, creating_image, "data pool '" + name + "' does not exist");
    if (takes_appends_only(cluster.handle(), *id))
        throw rbd_error(-EINVAL, creating_image,
                        "data pool '" + name + "' is erasure-coded without overwrites: ceph osd pool set " + name +
                            " allow_ec_overwrites true");
    if (const auto why = why_no_data(cluster, *layout.data_pool); !why.empty())
        throw rbd_error(-ETIMEDOUT, creating_image, "data " + why);
}

}  // namespace taskd::rbd
