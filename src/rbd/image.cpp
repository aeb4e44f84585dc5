#include "rbd/image.hpp"

#include "rbd/error.hpp"
#include "rbd/image_spec.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <string_view>
#include <utility>

#include <rbd/features.h>

namespace taskd::rbd {
namespace {

/// `rc` as it is, or as an exception when negative: "error <doing> of image b'name'".
int check(int rc, std::string_view doing, const std::string& image) {
    if (rc < 0) throw rbd_error(rc, "error " + std::string(doing) + " image " + python_bytes(image));
    return rc;
}

std::string text(const char* value) {
    return value == nullptr ? std::string{} : std::string(value);
}

std::optional<rbd_mirror_image_info_t> mirror_info(rbd_image_t image, const std::string& name) {
    rbd_mirror_image_info_t info{};
    const int rc = rbd_mirror_image_get_info(image, &info, sizeof info);
    if (rc == -ENOENT || rc == -EOPNOTSUPP) return std::nullopt;
    check(rc, "getting mirror info for", name);
    rbd_mirror_image_get_info_cleanup(&info);
    info.global_id = nullptr;
    return info.state == RBD_MIRROR_IMAGE_DISABLED ? std::nullopt : std::optional(info);
}

}  // namespace

Image::Image(OpenImage image, std::string name) : image_(std::move(image)), name_(std::move(name)) {}

std::optional<Image> Image::open(rados_ioctx_t pool, const std::string& name, Mode mode) {
    int rc = 0;
    auto opened = open_image(pool, mode == Mode::read_only ? rbd_open_read_only : rbd_open, name, rc);
    if (rc == -ENOENT) return std::nullopt;
    check(rc, "opening", name);
    return Image(std::move(opened), name);
}

std::optional<Image> Image::open_by_id(rados_ioctx_t pool, const std::string& id, Mode mode) {
    int rc = 0;
    auto opened = open_image(pool, mode == Mode::read_only ? rbd_open_by_id_read_only : rbd_open_by_id, id, rc);
    if (rc == -ENOENT) return std::nullopt;
    check(rc, "opening", id);
    Image image(std::move(opened), id);
    std::string name(64, '\0');
    for (std::size_t size = name.size();; name.resize(size)) {
        const int got = rbd_get_name(image.handle(), name.data(), &size);
        if (got == -ERANGE) continue;
        check(got, "getting name of", id);
        break;
    }
    image.name_.assign(name.c_str());  // NOLINT(readability-redundant-string-cstr): ends at the NUL, unlike name
    return image;
}

rbd_image_info_t Image::stat() const {
    rbd_image_info_t info{};
    check(rbd_stat(handle(), &info, sizeof info), "getting info for", name_);
    return info;
}

std::uint64_t Image::size_bytes() const {
    return stat().size;
}

std::uint64_t Image::object_count() const {
    return stat().num_objs;
}

int Image::order() const {
    return stat().order;
}

std::uint64_t Image::features() const {
    std::uint64_t features = 0;
    check(rbd_get_features(handle(), &features), "getting features for", name_);
    return features;
}

std::uint64_t Image::stripe_unit() const {
    std::uint64_t unit = 0;
    check(rbd_get_stripe_unit(handle(), &unit), "getting stripe unit for", name_);
    return unit;
}

std::uint64_t Image::stripe_count() const {
    std::uint64_t count = 0;
    check(rbd_get_stripe_count(handle(), &count), "getting stripe count for", name_);
    return count;
}

std::int64_t Image::data_pool_id() const {
    const std::int64_t id = rbd_get_data_pool_id(handle());
    if (id < 0) check(static_cast<int>(id), "getting data pool of", name_);
    return id;
}

std::vector<Snapshot> Image::snapshots() const {
    std::vector<rbd_snap_info_t> raw(8);
    int count = 0;
    for (;;) {
        int size = static_cast<int>(raw.size());
        count = rbd_snap_list(handle(), raw.data(), &size);
        if (count != -ERANGE) break;
        raw.resize(static_cast<std::size_t>(size));
    }
    check(count, "listing snapshots for", name_);
    std::vector<Snapshot> result;
    for (const auto* snap = raw.data(); snap != raw.data() + count; ++snap)
        result.push_back({.id = snap->id, .name = text(snap->name), .size_bytes = snap->size});
    if (count > 0) rbd_snap_list_end(raw.data());
    for (auto& snapshot : result) {
        check(rbd_snap_get_namespace_type(handle(), snapshot.id, &snapshot.type), "getting snapshot namespace for",
              name_);
        int is_protected = 0;
        if (snapshot.type == RBD_SNAP_NAMESPACE_TYPE_USER)
            check(rbd_snap_is_protected(handle(), snapshot.name.c_str(), &is_protected), "looking at snapshots of",
                  name_);
        snapshot.is_protected = is_protected != 0;
    }
    return result;
}

bool Image::has_clones_of_format_2() const {
    std::uint64_t features = 0;
    check(rbd_get_op_features(handle(), &features), "getting op features for", name_);
    return (features & RBD_OPERATION_FEATURE_CLONE_PARENT) != 0;
}

std::vector<Child> Image::children() const {
    std::vector<rbd_linked_image_spec_t> raw(16);
    std::size_t count = raw.size();
    for (;;) {
        const int rc = rbd_list_children3(handle(), raw.data(), &count);
        if (rc != -ERANGE) {
            check(rc, "listing children of", name_);
            break;
        }
        raw.resize(count);
    }
    std::vector<Child> result;
    for (std::size_t i = 0; i < count; ++i) {
        ImageSpec spec{text(raw[i].pool_name), text(raw[i].pool_namespace), text(raw[i].image_name)};
        auto formatted = spec.format();
        result.push_back(
            {std::move(formatted), text(raw[i].image_id), raw[i].trash, std::move(spec.pool), std::move(spec.ns)});
    }
    rbd_linked_image_spec_list_cleanup(raw.data(), count);
    return result;
}

std::vector<Child> Image::children_of(std::uint64_t snapshot) {
    check(rbd_snap_set_by_id(handle(), snapshot), "setting snapshot of", name_);
    return children();
}

std::vector<Watcher> Image::watchers() const {
    std::vector<rbd_image_watcher_t> raw(8);
    std::size_t count = raw.size();
    for (;;) {
        const int rc = rbd_watchers_list(handle(), raw.data(), &count);
        if (rc != -ERANGE) {
            check(rc, "listing watchers of", name_);
            break;
        }
        raw.resize(count);
    }
    std::vector<Watcher> result;
    for (std::size_t i = 0; i < count; ++i)
        result.push_back({text(raw[i].addr), static_cast<std::uint64_t>(raw[i].id), raw[i].cookie});
    rbd_watchers_list_cleanup(raw.data(), count);
    return result;
}

std::uint64_t Image::lock_owner(rados_ioctx_t pool) const {
    // librbd tells the owner only to who has opened the image for writing; its lock is cls_lock's "rbd_lock".
    std::array<char, 64> id{};
    if (rbd_get_id(handle(), id.data(), id.size()) < 0) return 0;
    const auto header = std::string("rbd_header.") + id.data();
    int exclusive = 0;
    std::array<char, 256> tag{};
    std::array<char, 1024> clients{};
    std::array<char, 1024> cookies{};
    std::array<char, 1024> addresses{};
    std::size_t tag_size = tag.size();
    std::size_t clients_size = clients.size();
    std::size_t cookies_size = cookies.size();
    std::size_t addresses_size = addresses.size();
    // Advice only: what cannot be told is left out.
    const auto count =
        rados_list_lockers(pool, header.c_str(), "rbd_lock", &exclusive, tag.data(), &tag_size, clients.data(),
                           &clients_size, cookies.data(), &cookies_size, addresses.data(), &addresses_size);
    constexpr std::string_view prefix = "client.";
    const std::string_view name = clients.data();
    std::uint64_t client = 0;
    if (count > 0 && name.starts_with(prefix))
        std::from_chars(name.data() + prefix.size(), name.data() + name.size(), client);
    return client;
}

std::optional<Snapshot> Image::find_snapshot(const std::string& name) const {
    for (auto& snapshot : snapshots())
        if (snapshot.type == RBD_SNAP_NAMESPACE_TYPE_USER && snapshot.name == name) return std::move(snapshot);
    return std::nullopt;
}

std::optional<Image::Group> Image::group() const {
    rbd_group_info_t info{};
    check(rbd_get_group(handle(), &info, sizeof info), "getting group for", name_);
    Group group{text(info.name), info.pool};
    rbd_group_info_cleanup(&info, sizeof info);
    return group.name.empty() ? std::nullopt : std::optional(std::move(group));
}

bool Image::is_mirror_copy() const {
    const auto info = mirror_info(handle(), name_);
    return info && !info->primary;
}

bool Image::is_mirrored() const {
    return mirror_info(handle(), name_).has_value();
}

bool Image::is_mirrored_by_snapshots() const {
    if (!is_mirrored()) return false;
    rbd_mirror_image_mode_t mode{};
    check(rbd_mirror_image_get_mode(handle(), &mode), "getting mirror mode for", name_);
    return mode == RBD_MIRROR_IMAGE_MODE_SNAPSHOT;
}

void Image::set_metadata(const std::string& key, const std::string& value) {
    if (const int rc = rbd_metadata_set(handle(), key.c_str(), value.c_str()); rc < 0)
        throw rbd_error(rc, "error setting metadata " + python_bytes(key) + " for image " + python_bytes(name_));
}

void Image::enable_mirroring(rbd_mirror_image_mode_t mode) {
    check(rbd_mirror_image_enable2(handle(), mode), "enabling mirroring for", name_);
}

}  // namespace taskd::rbd
