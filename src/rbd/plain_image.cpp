#include "rbd/plain_image.hpp"

#include "rbd/lister/header_wire.hpp"
#include "rbd/lister/read_op.hpp"

#include <memory>

#include <rbd/features.h>

namespace taskd::rbd {
namespace {

/// Not among them: journaling, and what says that it is migrating or that operations have left something behind.
constexpr std::uint64_t plain_features = RBD_FEATURE_LAYERING | RBD_FEATURE_EXCLUSIVE_LOCK | RBD_FEATURE_OBJECT_MAP |
                                         RBD_FEATURE_FAST_DIFF | RBD_FEATURE_DEEP_FLATTEN | RBD_FEATURE_DATA_POOL;

/// Whether anybody has the image open. The C API of librados cannot list watchers, but it can call them: this, to
/// librbd and to the kernel's client alike, is the news that the header is not as it was, on which they read it again.
bool has_watchers(rados_ioctx_t pool, const std::string& header) {
    constexpr std::uint64_t timeout_ms = 1'000;  // seconds are the unit of the OSD
    char* reply = nullptr;
    std::size_t size = 0;
    const int rc = rados_notify2(pool, header.c_str(), nullptr, 0, timeout_ms, &reply, &size);
    const std::unique_ptr<char, decltype(&rados_buffer_free)> bytes(reply, rados_buffer_free);
    return rc < 0 || wire::decode_notified({reply, size}) != std::uint64_t{0};
}

}  // namespace

std::optional<std::uint64_t> objects_of_plain_image(rados_ioctx_t pool, const std::string& id) {
    if (id.empty()) return std::nullopt;
    const auto object = "rbd_header." + id;
    ReadOp header;
    const auto size = header.exec("get_size", wire::snapshot_input(wire::no_snapshot));
    const auto features = header.exec("get_features", wire::features_input(wire::no_snapshot));
    const auto snapshots = header.exec("get_snapcontext");
    const auto group = header.exec("image_group_get");
    const auto lock = header.exec("get_info", wire::lock_info_input("rbd_lock"), "lock");
    header.end(rados_read_op_operate(header.handle(), pool, object.c_str(), LIBRADOS_OPERATION_NOFLAG));

    const auto size_and_order = wire::decode_size(header.answer(size));
    const auto feature_bits = wire::decode_u64(header.answer(features));
    const auto snapshot_ids = wire::decode_snapshot_ids(header.answer(snapshots));
    const auto group_pool = wire::decode_group_pool(header.answer(group));
    const auto lock_holders = wire::decode_lock_holders(header.answer(lock));
    // librbd says what is wrong with it.
    if (!size_and_order || !feature_bits || !snapshot_ids || !group_pool || !lock_holders) return std::nullopt;
    const auto [order, bytes] = *size_and_order;
    if ((*feature_bits & ~plain_features) != 0 || !snapshot_ids->empty()) return std::nullopt;
    if (*group_pool != wire::no_group || *lock_holders != 0) return std::nullopt;
    if (has_watchers(pool, object)) return std::nullopt;
    return (bytes >> order) + ((bytes & ((std::uint64_t{1} << order) - 1)) != 0 ? 1 : 0);
}

}  // namespace taskd::rbd
